import http from "node:http";
import https from "node:https";
import { RdbError } from "@flaredb/rdb-base";
import { type StoreFlow, storeFlowFromJson } from "@flaredb/rdb-proto";
import { type TlsIdentity, parseAddress } from "@flaredb/rdb-wire";
import { trafficLimits } from "./limits.ts";

/** Asks a Store over HTTP what it has served. */
export type AskStoreFlow = (httpAddress: string) => Promise<StoreFlow>;

/**
 * @param tls as whom PD calls and whom it trusts; undefined: nothing is encrypted
 * @returns rejects with RdbError RDB_UNAVAILABLE when the Store does not answer in time, or answers with something else
 */
export function askStoreFlow(tls: TlsIdentity | undefined): AskStoreFlow {
  return async (httpAddress) => {
    const text = await getText(httpAddress, tls);
    return storeFlowFromJson(JSON.parse(text) as unknown);
  };
}

function getText(httpAddress: string, tls: TlsIdentity | undefined): Promise<string> {
  const { host, port } = parseAddress(httpAddress);
  const target = { host, port, path: "/api/v1/flow", timeout: trafficLimits.askTimeoutMs };
  return new Promise((resolve, reject) => {
    const answered = (response: http.IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        sizeBytes += chunk.length;
        if (sizeBytes > trafficLimits.answerMaxBytes) {
          request.destroy(unavailable(httpAddress, `answers with more than ${sizeBytes} bytes`));
        }
      });
      response.on("end", () => {
        if (response.statusCode === 200) {
          resolve(Buffer.concat(chunks).toString());
        } else {
          reject(unavailable(httpAddress, `answers with ${response.statusCode}`));
        }
      });
    };
    const request =
      tls === undefined
        ? http.get(target, answered)
        : https.get({ ...target, ...tls.contextOptions, agent: false }, answered);
    request.on("timeout", () => request.destroy(unavailable(httpAddress, "does not answer in time")));
    request.on("error", (error) => reject(unavailable(httpAddress, error.message)));
  });
}

function unavailable(httpAddress: string, what: string): RdbError {
  return new RdbError("RDB_UNAVAILABLE", `the Store's HTTP endpoint ${httpAddress} ${what}`);
}
