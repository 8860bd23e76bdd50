import { type Clock, type Logger, regionId, silentLogger, systemClock } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import { beforeEach, expect, test } from "vitest";
import { errorResponse, serverIsBusy } from "../peer/responses.ts";
import { RequestWatch, WatchedCaller } from "./request-watch.ts";
import { type StoreMetrics, makeStoreMetrics } from "./store-metrics.ts";

/** Moved by hand. */
let nowMs: number;
const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
let metrics: StoreMetrics;
let lines: Record<string, unknown>[];
let watch: RequestWatch;
let answers: KvResponse[];

beforeEach(() => {
  nowMs = 1_000;
  metrics = makeStoreMetrics();
  lines = [];
  answers = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => lines.push({ ...fields, message }),
  };
  watch = new RequestWatch({ clock, logger, metrics, slowRequestMs: 500 });
});

const put = { requestId: 7, command: { case: "put" } } as unknown as KvRequest;
const done = { requestId: 7, result: { case: "put", value: {} } } as unknown as KvResponse;

/** A request that arrives now. */
function arrive(request: KvRequest = put): WatchedCaller {
  const call = { watch, regionId: regionId(2), arrivedMs: nowMs };
  return new WatchedCaller(call, request, nowMs + 10_000, (answer) => answers.push(answer));
}

test("a slow write is told of with where its time went", () => {
  const caller = arrive();
  const startedMs = nowMs;
  caller.timeline = { proposedMs: startedMs + 20, durableMs: startedMs + 520, committedMs: startedMs + 530 };
  nowMs += 600;
  caller.respond(done);
  expect(answers).toEqual([done]);
  expect(lines).toEqual([
    {
      ...{ region: 2, kind: "put", requestId: 7, outcome: "ok", tookMs: 600 },
      ...{ queueMs: 20, appendMs: 500, commitMs: 510, applyMs: 70 },
      message: "slow request",
    },
  ]);
  expect(metrics.slowRequests.value).toBe(1);
  expect(metrics.requestLatency.put).toMatchObject({ count: 1, sum: 0.6 });
});

test("a write that was given up says how far it came; one that was never proposed, that it waited", () => {
  const inLog = arrive();
  inLog.timeline = { proposedMs: nowMs, durableMs: 0, committedMs: 0 };
  const queued = arrive();
  nowMs += 900;
  inLog.respond(errorResponse(7, serverIsBusy("x", 1)));
  queued.respond(errorResponse(7, serverIsBusy("x", 1)));
  expect(lines).toMatchObject([
    { outcome: "serverIsBusy", queueMs: 0, waitingMs: 900 },
    { outcome: "serverIsBusy", queueMs: 900 },
  ]);
  expect(lines[0]).not.toHaveProperty("appendMs");
  expect(metrics.refusals.serverIsBusy.value).toBe(2);
});

test("a slow read is told of with its wait and its read", () => {
  const caller = arrive({ requestId: 7, command: { case: "scan" } } as unknown as KvRequest);
  nowMs += 100;
  caller.servedMs = nowMs;
  nowMs += 450;
  caller.respond({ requestId: 7, result: { case: "scan", value: {} } } as unknown as KvResponse);
  expect(lines).toMatchObject([{ kind: "scan", tookMs: 550, queueMs: 100, readMs: 450 }]);
});

test("what is not slow is only counted, and 0 tells of none", () => {
  const quick = arrive();
  const slow = arrive();
  nowMs += 500;
  quick.respond(done);
  watch.slowRequestMs = 0;
  nowMs += 5_000;
  slow.respond(done);
  expect(lines).toEqual([]);
  expect(metrics.slowRequests.value).toBe(0);
  expect(metrics.requestLatency.put.count).toBe(2);
});

test("five lines a second at most; the next one says how many were left out", async () => {
  const callers = Array.from({ length: 30 }, () => arrive());
  nowMs += 600;
  callers.slice(0, 20).forEach((caller) => caller.respond(done));
  expect(lines).toHaveLength(5);
  await Promise.resolve();
  nowMs += 1_000;
  callers.slice(20).forEach((caller) => caller.respond(done));
  expect(lines).toHaveLength(10);
  expect(lines[5]).toMatchObject({ leftOutCount: 15 });
  expect(lines[6]).not.toHaveProperty("leftOutCount");
  expect(metrics.slowRequests.value).toBe(30);
});

test("answers that are given in one go share readings of the clock; later ones have their own", async () => {
  let readCount = 0;
  const counting: Clock = {
    ...clock,
    monotonicMs: () => {
      readCount++;
      return nowMs;
    },
  };
  watch = new RequestWatch({ clock: counting, logger: silentLogger, metrics, slowRequestMs: 500 });
  const callers = Array.from({ length: 66 }, () => arrive());
  nowMs += 100;
  callers.slice(0, 65).forEach((caller) => caller.respond(done));
  expect(readCount).toBe(3);
  await Promise.resolve();
  nowMs += 300;
  callers[65]?.respond(done);
  expect(readCount).toBe(4);
  expect(metrics.requestLatency.put.sum).toBeCloseTo(65 * 0.1 + 0.4);
});
