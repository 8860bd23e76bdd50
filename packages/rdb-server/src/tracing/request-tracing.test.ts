import { SeededRandom, regionId } from "@flaredb/rdb-base";
import { create } from "@bufbuild/protobuf";
import { type KvRequest, KvRequestSchema, type KvResponse, encodeTraceContext } from "@flaredb/rdb-proto";
import { describe, expect, it } from "vitest";
import { RequestWatch, type WatchedCall } from "../metrics/request-watch.ts";
import { makeStoreMetrics } from "../metrics/store-metrics.ts";
import { errorResponse, notLeaderYet, response } from "../peer/responses.ts";
import { SimClock, TraceLogger } from "../testing/index.ts";
import { RequestTracing } from "./request-tracing.ts";
import type { FinishedRequest } from "./trace-sink.ts";
import { TracedCaller } from "./traced-caller.ts";

const context = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };

function request(traceContext: Uint8Array | undefined): KvRequest {
  return create(KvRequestSchema, {
    requestId: 9,
    command: { case: "put", value: {} },
    ...(traceContext && { traceContext }),
  });
}

function scene({ sampleRatio = 0, hasSink = true } = {}) {
  const clock = new SimClock();
  const taken: FinishedRequest[] = [];
  const sink = { take: (one: FinishedRequest) => void taken.push(one), close: () => Promise.resolve() };
  const random = new SeededRandom(3);
  const tracing = new RequestTracing({ clock, random, sampleRatio, sink: hasSink ? sink : undefined });
  return { clock, taken, tracing };
}

describe("whether a request is traced", () => {
  it("is said by what it comes with", () => {
    const { tracing } = scene();
    expect(tracing.contextOf(request(encodeTraceContext(context)))).toEqual({
      traceId: context.traceId,
      parentSpanId: context.spanId,
    });
    expect(tracing.contextOf(request(undefined))).toBeUndefined();
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["too little", new Uint8Array(24).fill(7)],
    ["no ids", new Uint8Array(25).fill(1, 24)],
    ["what is not sampled", new Uint8Array(25).fill(2)],
    ["much too much of nothing", new Uint8Array(100_000)],
  ])("is not said by %s, which is no error", (_, bytes) => {
    const { tracing, taken } = scene();
    expect(tracing.contextOf(request(bytes))).toBeUndefined();
    tracing.refused(request(bytes), regionId(1), notLeaderYet(1n));
    expect(taken).toEqual([]);
  });

  it("is drawn where it comes with nothing, each time a trace of its own", () => {
    const { tracing } = scene({ sampleRatio: 0.25 });
    const drawn = Array.from({ length: 1_000 }, () => tracing.contextOf(request(undefined)));
    const begun = drawn.filter((one) => one !== undefined);
    expect(begun.length).toBeGreaterThan(200);
    expect(begun.length).toBeLessThan(300);
    expect(new Set(begun.map(({ traceId }) => traceId)).size).toBe(begun.length);
    expect(begun.every(({ traceId }) => /^[\da-f]{32}$/.test(traceId))).toBe(true);
  });

  it("is not drawn where nobody takes spans", () => {
    const { tracing } = scene({ sampleRatio: 1, hasSink: false });
    expect(tracing.contextOf(request(undefined))).toBeUndefined();
  });
});

describe("a traced request", () => {
  function call(tracing: RequestTracing, clock: SimClock, logger: TraceLogger): TracedCaller {
    const metrics = makeStoreMetrics();
    const watch = new RequestWatch({ clock, logger, metrics, slowRequestMs: 1 });
    const watched: WatchedCall = { watch, regionId: regionId(4), arrivedMs: clock.monotonicMs() };
    const asked = request(encodeTraceContext(context));
    const traced = { tracing, context: { traceId: context.traceId, parentSpanId: context.spanId } };
    return new TracedCaller(traced, watched, asked, { deadlineMs: 1_000, respond: () => {} });
  }

  function ok(): KvResponse {
    return response(9, { case: "put", value: { $typeName: "rdb.v1.PutResponse", version: 1n } });
  }

  it("is told of when it is answered, by the wall clock", async () => {
    const { clock, taken, tracing } = scene();
    const startMs = clock.wallMs();
    const caller = call(tracing, clock, new TraceLogger(clock));
    await clock.run(5);
    expect(taken).toEqual([]);
    caller.respond(ok());
    expect(taken).toEqual([
      {
        ...{ traceId: context.traceId, parentSpanId: context.spanId },
        ...{ regionId: 4, operation: "put", error: undefined },
        ...{ startMs, endMs: startMs + 5 },
        stages: [{ name: "rdb.store.queue", startMs, endMs: startMs + 5 }],
      },
    ]);
  });

  it("has the code of its refusal", () => {
    const { clock, taken, tracing } = scene();
    call(tracing, clock, new TraceLogger(clock)).respond(errorResponse(9, notLeaderYet(4n)));
    tracing.refused(request(encodeTraceContext(context)), undefined, notLeaderYet(4n));
    expect(taken.map(({ error }) => error?.code)).toEqual(["RDB_NOT_LEADER", "RDB_NOT_LEADER"]);
    expect(taken.map(({ regionId: id }) => id)).toEqual([4, undefined]);
  });

  it("has its trace's id in the log when it is slow, also where nobody takes spans", async () => {
    const { clock, taken, tracing } = scene({ hasSink: false });
    const logger = new TraceLogger(clock);
    const caller = call(tracing, clock, logger);
    await clock.run(5);
    caller.respond(ok());
    expect(logger.linesWith("slow request")[0]).toContain(`traceId=${context.traceId}`);
    expect(taken).toEqual([]);
  });
});
