import { once } from "node:events";
import http2 from "node:http2";
import { type Clock, systemClock } from "@flaredb/rdb-base";
import { KvService, encodeFrame } from "@flaredb/rdb-proto";
import { afterEach, expect, test } from "vitest";
import { ANSWERED_TIMEOUT_MS } from "./reset-when-answered.ts";
import { BATCH_PATH, startEchoServer } from "./testing/echo.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup();
  }
});

/** The machine's clock, but for the time after an answer: that has passed when `pass` is called. */
class Patience implements Clock {
  readonly wallMs = systemClock.wallMs;
  readonly monotonicMs = systemClock.monotonicMs;
  readonly setImmediate = systemClock.setImmediate;
  readonly #began = Promise.withResolvers<() => void>();
  cancelledCount = 0;

  setTimer(delayMs: number, callback: () => void): ReturnType<Clock["setTimer"]> {
    if (delayMs !== ANSWERED_TIMEOUT_MS) {
      return systemClock.setTimer(delayMs, callback);
    }
    this.#began.resolve(callback);
    return { cancel: () => this.cancelledCount++ };
  }

  async pass(): Promise<void> {
    (await this.#began.promise)();
  }
}

const GET_PATH = `/${KvService.typeName}/Get`;
const TOO_LONG = encodeFrame(new Uint8Array(2_000));

async function callTo(path: string, clock: Clock, headers: Record<string, string> = {}) {
  const server = await startEchoServer({
    clock,
    limits: { messageMaxBytes: 1_000 },
    routes: (router) => router.service(KvService, { get: () => ({ found: false }) }),
  });
  cleanups.push(() => server.close(0));
  const session = http2.connect(`http://${server.address}`);
  cleanups.push(() => session.destroy());
  const call = session.request({
    ...{ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" },
    ...headers,
  });
  call.on("error", () => {});
  call.resume();
  return call;
}

test.each([
  ["a unary method, too long a request", GET_PATH],
  ["a hot method, too long a message", BATCH_PATH],
])("who goes on sending after the answer is reset in the end: %s", async (_name, path) => {
  const clock = new Patience();
  const call = await callTo(path, clock);
  const answered = once(call, "end");
  call.write(TOO_LONG);
  await answered;
  expect(call.closed).toBe(false);
  const reset = once(call, "close");
  await clock.pass();
  await reset;
  expect(call.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
});

test("who goes on sending after a refusal is reset, too", async () => {
  const call = await callTo(BATCH_PATH, systemClock, { "content-type": "application/json" });
  const reset = once(call, "close");
  call.write(TOO_LONG);
  await reset;
});

test("a call that ends in good order leaves no timer behind", async () => {
  const clock = new Patience();
  const call = await callTo(GET_PATH, clock);
  const ended = once(call, "close");
  call.end(encodeFrame(new Uint8Array(0)));
  await ended;
  await expect.poll(() => clock.cancelledCount).toBe(1);
});
