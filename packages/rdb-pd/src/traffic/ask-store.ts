import http from "node:http";
import https from "node:https";
import { type Clock, RdbError, type RegionId } from "@flaredb/rdb-base";
import {
  type StoreFlow,
  type StorePeerReport,
  storeFlowFromJson,
  storePeerFromJson,
} from "@flaredb/rdb-proto";
import { type TlsIdentity, parseAddress } from "@flaredb/rdb-wire";
import { trafficLimits } from "./limits.ts";

/** Asks a Store over HTTP for its peer of a Region; undefined: it has none. */
export type AskStorePeer = (httpAddress: string, regionId: RegionId) => Promise<StorePeerReport | undefined>;

/** Where no Store can be asked over HTTP. */
export const askNoStore: AskStorePeer = (httpAddress) =>
  Promise.reject(unavailable(httpAddress, "is not asked by this placement driver"));

/** As `askStoreFlow`. */
export function askStorePeer(tls: TlsIdentity | undefined, clock: Clock): AskStorePeer {
  return async (httpAddress, regionId) => {
    const { status, text } = await get(httpAddress, `/api/v1/regions/${regionId}`, { tls, clock });
    if (status === 404) {
      return undefined;
    }
    return storePeerFromJson(JSON.parse(checked(httpAddress, status, text)) as unknown);
  };
}

/** Asks a Store over HTTP what it has served. */
export type AskStoreFlow = (httpAddress: string) => Promise<StoreFlow>;

/**
 * @param tls as whom PD calls and whom it trusts; undefined: nothing is encrypted
 * @returns rejects with RdbError RDB_UNAVAILABLE when the Store is silent for `askTimeoutMs`, has not answered wholly after
 * `askTotalTimeoutMs`, or answers with something else
 */
export function askStoreFlow(tls: TlsIdentity | undefined, clock: Clock): AskStoreFlow {
  return async (httpAddress) => {
    const { status, text } = await get(httpAddress, "/api/v1/flow", { tls, clock });
    return storeFlowFromJson(JSON.parse(checked(httpAddress, status, text)) as unknown);
  };
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function checked(httpAddress: string, status: number | undefined, text: string): string {
  if (status !== 200) {
    throw unavailable(httpAddress, `answers with ${status}`);
  }
  return text;
}

interface CallOptions {
  readonly tls: TlsIdentity | undefined;
  readonly clock: Clock;
}

function get(httpAddress: string, path: string, { tls, clock }: CallOptions): Promise<Answer> {
  const { host, port } = parseAddress(httpAddress);
  const { askTimeoutMs, askTotalTimeoutMs, answerMaxBytes } = trafficLimits;
  const target = { host, port, path, timeout: askTimeoutMs };
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(error instanceof RdbError ? error : unavailable(httpAddress, error.message));
    const answered = (response: http.IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > answerMaxBytes) {
          giveUp(`answers with more than ${sizeBytes} bytes`);
        }
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }),
      );
      // The Store went in the middle of it: of that the request says nothing.
      response.on("error", failed);
    };
    const request =
      tls === undefined
        ? http.get(target, answered)
        : https.get({ ...target, ...tls.contextOptions, agent: false }, answered);
    const giveUp = (why: string): void => {
      const error = unavailable(httpAddress, why);
      // First: of a request that is cut in the middle of its answer Node says no more than that.
      reject(error);
      request.destroy(error);
    };
    // The request's own timeout begins anew with each byte.
    const total = clock.setTimer(askTotalTimeoutMs, () =>
      giveUp(`does not answer wholly within ${askTotalTimeoutMs} ms`),
    );
    request.on("timeout", () => giveUp("does not answer in time"));
    request.on("error", failed);
    request.on("close", () => total.cancel());
  });
}

function unavailable(httpAddress: string, what: string): RdbError {
  return new RdbError("RDB_UNAVAILABLE", `the Store's HTTP endpoint ${httpAddress} ${what}`);
}
