import http from "node:http";
import https from "node:https";
import { RdbError } from "@flaredb/rdb-base";
import type { TlsFiles } from "@flaredb/rdb-wire";
import { readTlsFiles } from "../tls-options.ts";
import type { ClockReading, ProcessAnswer } from "./facts.ts";

/** A health document is a few hundred bytes. */
const BODY_MAX_BYTES = 64 * 1024;

/** Asks a process for its health, which also tells its time. Never throws: no answer is an answer too. */
export async function askHealth(
  process: { readonly name: string; readonly httpAddress: string },
  { timeoutMs, tls }: { readonly timeoutMs: number; readonly tls?: TlsFiles | undefined },
): Promise<ProcessAnswer> {
  const nothing = { ...process, failure: undefined, status: undefined, version: undefined, clock: undefined };
  try {
    const { body, clock } = await fetchHealth(process.httpAddress, timeoutMs, tls);
    const document = JSON.parse(body) as Record<string, unknown>;
    return { ...nothing, status: textOf(document["status"]), version: textOf(document["version"]), clock };
  } catch (error) {
    return { ...nothing, failure: RdbError.from(error).message };
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function fetchHealth(
  address: string,
  timeoutMs: number,
  tls: TlsFiles | undefined,
): Promise<{ readonly body: string; readonly clock: ClockReading | undefined }> {
  const sentMs = Date.now();
  const options = { ...readTlsFiles(tls), agent: false, signal: AbortSignal.timeout(timeoutMs) };
  const url = `${tls === undefined ? "http" : "https"}://${address}/health`;
  return new Promise((resolve, reject) => {
    const request = (tls === undefined ? http : https).get(url, options, (response) => {
      const clock = readClock(response.headers.date, sentMs, Date.now());
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
        if (body.length > BODY_MAX_BYTES) {
          request.destroy(new Error(`its answer has more than ${BODY_MAX_BYTES} bytes`));
        }
      });
      response.on("end", () => resolve({ body, clock }));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}

/** A Date header is cut to whole seconds, and was written between our sending and receiving. */
export function readClock(
  header: string | undefined,
  sentMs: number,
  receivedMs: number,
): ClockReading | undefined {
  const shownMs = Date.parse(header ?? "");
  return Number.isNaN(shownMs)
    ? undefined
    : { leastMs: shownMs - receivedMs, mostMs: shownMs + 999 - sentMs };
}
