import { Code, ConnectError, type StreamRequest, type StreamResponse } from "@connectrpc/connect";
import { type Logger, RdbError } from "@flaredb/rdb-base";
import { beforeEach, expect, test } from "vitest";
import { rdbErrorInterceptor } from "./server-interceptor.ts";

let logged: string[];

function logger(): Logger {
  const at = (level: string) => (fields: Record<string, unknown>, message: string) =>
    void logged.push(`${level}: ${String(fields["method"])}: ${message}`);
  const own: Logger = {
    ...{ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    child: () => own,
  };
  return own;
}

beforeEach(() => {
  logged = [];
});

/** What a caller gets when the handler fails so: before it answers, or in the middle of its answers. */
async function answersTo(error: unknown): Promise<unknown[]> {
  const request = { stream: true, method: { name: "Snapshot" } } as unknown as StreamRequest;
  const intercept = rdbErrorInterceptor(logger());
  const early = intercept(() => Promise.reject(error))(request).catch((sent: unknown) => sent);
  const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
  const response = { stream: true, message: failing } as unknown as StreamResponse;
  const { message } = (await intercept(() => Promise.resolve(response))(request)) as StreamResponse;
  const late = message[Symbol.asyncIterator]()
    .next()
    .catch((sent: unknown) => sent);
  return Promise.all([early, late]);
}

function nodeError(code: string): Error {
  return Object.assign(new Error("The stream has been destroyed"), { code });
}

test.each(["ERR_HTTP2_INVALID_STREAM", "ERR_STREAM_PREMATURE_CLOSE"])(
  "a caller that went away is no fault: %s",
  async (code) => {
    for (const sent of await answersTo(nodeError(code))) {
      expect(sent).toBeInstanceOf(ConnectError);
      expect(sent).toMatchObject({ code: Code.Canceled });
    }
    expect(logged).toEqual(Array(2).fill("debug: Snapshot: the caller went away"));
  },
);

test("an error of ours is sent with its code, and not logged", async () => {
  for (const sent of await answersTo(new RdbError("RDB_NOT_FOUND", "no such Region"))) {
    expect(sent).toMatchObject({ code: Code.NotFound });
  }
  expect(logged).toEqual([]);
});

test("anything else is a fault of the program", async () => {
  for (const error of [new TypeError("undefined is no function"), nodeError("ERR_INVALID_ARG_TYPE")]) {
    for (const sent of await answersTo(error)) {
      expect(sent).toMatchObject({ code: Code.Internal });
    }
  }
  expect(logged).toEqual(Array(4).fill("error: Snapshot: request failed by a fault of the program"));
});
