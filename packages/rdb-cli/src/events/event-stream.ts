import http from "node:http";
import https from "node:https";
import { RdbError } from "@flaredb/rdb-base";
import type { TlsFiles } from "@flaredb/rdb-wire";
import { readTlsFiles } from "../tls-options.ts";

/** One event of PD's admin API. */
export interface ServerEvent {
  /** `operator`, `region`, `region-gone`, `store`, `end`. */
  readonly name: string;
  /** The document that came with it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where events are asked for. */
export interface EventSource {
  /** host:port of the HTTP endpoint of the member of PD that leads. */
  readonly httpAddress: string;
  /** Of `--admin-token-file`. */
  readonly token: string | undefined;
  readonly tls: TlsFiles | undefined;
  readonly signal: AbortSignal;
}

/** An event is one document; a Region's is the largest, with its keys. */
const EVENT_MAX_BYTES = 1024 * 1024;
/** Of an answer that is a problem. */
const PROBLEM_MAX_BYTES = 64 * 1024;

/**
 * What happens from now on, until PD ends it or the signal fires.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE when nobody answers there, RDB_UNAUTHENTICATED as PD says it
 */
export async function* watchEvents(source: EventSource): AsyncGenerator<ServerEvent> {
  let response: http.IncomingMessage;
  try {
    response = await open(source);
  } catch (error) {
    if (source.signal.aborted) {
      return;
    }
    throw unavailable(source, error);
  }
  if (response.statusCode !== 200) {
    throw await refusal(source, response);
  }
  try {
    yield* parseEvents(response);
  } catch (error) {
    if (!source.signal.aborted) {
      throw unavailable(source, error);
    }
  }
}

/** The events in a stream of text, as server-sent events are written. */
export async function* parseEvents(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const blocks = rest.split("\n\n");
    rest = blocks.pop() ?? "";
    if (rest.length > EVENT_MAX_BYTES) {
      throw new RdbError("RDB_INTERNAL", `an event has more than ${EVENT_MAX_BYTES} bytes`);
    }
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== undefined) {
        yield event;
      }
    }
  }
}

// A block without data, such as the one that says when to come back, is no event.
function parseBlock(block: string): ServerEvent | undefined {
  const field = (name: string): string | undefined =>
    block
      .split("\n")
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = field("data");
  return data === undefined
    ? undefined
    : { name: field("event") ?? "message", data: JSON.parse(data) as ServerEvent["data"] };
}

function open({ httpAddress, token, tls, signal }: EventSource): Promise<http.IncomingMessage> {
  const url = `${tls === undefined ? "http" : "https"}://${httpAddress}/api/v1/events`;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const options = { ...readTlsFiles(tls), agent: false as const, signal, headers };
  return new Promise((resolve, reject) => {
    (tls === undefined ? http : https).get(url, options, resolve).on("error", reject);
  });
}

function unavailable({ httpAddress }: EventSource, cause: unknown): RdbError {
  return new RdbError(
    "RDB_PD_UNAVAILABLE",
    `the placement driver's events at ${httpAddress} ended: ${RdbError.from(cause).message}`,
    { cause },
  );
}

async function refusal(source: EventSource, response: http.IncomingMessage): Promise<RdbError> {
  let body = "";
  for await (const chunk of response) {
    body = (body + String(chunk)).slice(0, PROBLEM_MAX_BYTES);
  }
  const advice = response.statusCode === 401 ? "; --admin-token-file names the file with the token" : "";
  return unavailable(source, new Error(`it answers ${response.statusCode}: ${detailOf(body)}${advice}`));
}

function detailOf(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: string };
    return detail ?? body;
  } catch {
    // No problem document: some other program's answer is shown as it came.
    return body;
  }
}
