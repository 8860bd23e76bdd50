import { SeededRandom, systemClock } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { httpWire } from "./http-wire.ts";
import { ReconnectingStream } from "./reconnecting-stream.ts";
import { BATCH_PATH, clientCodec, putRequest, startEchoServer } from "./testing/echo.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** Events in the order in which they came, and a way to await the next of a kind. */
function events() {
  const log: string[] = [];
  const waiting = new Map<string, () => void>();
  return {
    log,
    add(event: string): void {
      log.push(event);
      waiting.get(event)?.();
      waiting.delete(event);
    },
    next: (event: string) => new Promise<void>((resolve) => waiting.set(event, resolve)),
  };
}

function keepStream(address: string, queueMaxCount?: number) {
  const seen = events();
  const stream = new ReconnectingStream<KvRequest, KvResponse[]>(clientCodec, {
    wire: httpWire(),
    path: BATCH_PATH,
    clock: systemClock,
    random: new SeededRandom(1),
    connection: { address },
    backoff: { minMs: 10, maxMs: 40 },
    ...(queueMaxCount === undefined ? {} : { queueMaxCount }),
    onUp: () => seen.add("up"),
    onDown: () => seen.add("down"),
    onMessage: (responses) => {
      for (const response of responses) {
        seen.add(`answer ${response.requestId}`);
      }
    },
  });
  cleanups.push(() => stream.close());
  return { stream, seen };
}

describe("ReconnectingStream", () => {
  test("comes up, goes down with the server and comes up again at the same address", async () => {
    const first = await startEchoServer();
    const { stream, seen } = keepStream(first.address);
    await seen.next("up");
    const down = seen.next("down");
    await first.close(0);
    await down;
    expect(stream.isUp).toBe(false);
    const up = seen.next("up");
    const second = await startEchoServer({ port: first.port });
    cleanups.push(() => second.close(0));
    await up;
    const answer = seen.next("answer 3");
    expect(stream.push(putRequest(3))).toBe(true);
    await answer;
    expect(seen.log).toEqual(["up", "down", "up", "answer 3"]);
  });

  test("drops what is pushed while down, or queues up to the limit", async () => {
    const server = await startEchoServer();
    cleanups.push(() => server.close(0));
    const dropping = keepStream(server.address);
    expect(dropping.stream.push(putRequest(1))).toBe(false);
    const queueing = keepStream(server.address, 2);
    expect([1, 2, 3].map((id) => queueing.stream.push(putRequest(id)))).toEqual([true, true, false]);
    await queueing.seen.next("answer 2");
    expect(queueing.seen.log).toEqual(["up", "answer 1", "answer 2"]);
  });

  test("close ends it for good, without onDown", async () => {
    const server = await startEchoServer();
    cleanups.push(() => server.close(0));
    const { stream, seen } = keepStream(server.address, 10);
    await seen.next("up");
    stream.close();
    expect(stream.push(putRequest(1))).toBe(false);
    await server.close(1_000);
    expect(seen.log).toEqual(["up"]);
  });
});
