import * as api from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { type KvRequest, decodeTraceContext } from "@flaredb/rdb-proto";
import { describe, expect, test, vi } from "vitest";
import type { FakeCluster } from "../testing/fake-cluster.ts";
import { scene } from "../testing/connect.ts";
import type { TracingOptions } from "./trace-api.ts";

interface Recorder {
  readonly tracing: TracingOptions;
  readonly tracer: api.Tracer;
  /** Those that ended, in that order. */
  spans(): ReadableSpan[];
  /** The only one of the name. */
  span(name: string): ReadableSpan;
}

function recorder(sampler: AlwaysOnSampler | AlwaysOffSampler = new AlwaysOnSampler()): Recorder {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer("test");
  const spans = (): ReadableSpan[] => exporter.getFinishedSpans();
  const span = (name: string): ReadableSpan => {
    const found = spans().filter((one) => one.name === name);
    expect(found).toHaveLength(1);
    return found[0] as ReadableSpan;
  };
  return { tracing: { api, tracer }, tracer, spans, span };
}

function requestsOf(cluster: FakeCluster): KvRequest[] {
  return cluster.stores.flatMap(({ requests }) => requests);
}

describe("spans of a client", () => {
  test("a call has a span, and its attempt one within it, which the Store is told", async () => {
    const { tracing, spans, span } = recorder();
    const { client, cluster, until } = await scene({ connect: { tracing } });
    await until(client.put("k", "v"));
    const call = span("rdb.put");
    const attempt = span("rdb.attempt");
    expect(spans()).toHaveLength(2);
    expect([call.kind, attempt.kind]).toEqual([api.SpanKind.CLIENT, api.SpanKind.CLIENT]);
    expect(call.parentSpanContext).toBeUndefined();
    expect(attempt.parentSpanContext?.spanId).toBe(call.spanContext().spanId);
    const place = { "rdb.region.id": 1, "rdb.store.id": 1, "server.address": "store-1", "server.port": 7410 };
    const shared = { "db.system.name": "flaredb", "db.operation.name": "put", ...place };
    expect(call.attributes).toEqual({ ...shared, "rdb.attempt.count": 1 });
    expect(attempt.attributes).toEqual({ ...shared, "rdb.attempt": 1 });
    const [request] = requestsOf(cluster);
    expect(decodeTraceContext(request?.traceContext ?? new Uint8Array())).toEqual({
      traceId: call.spanContext().traceId,
      spanId: attempt.spanContext().spanId,
    });
  });

  test("every call has one, named after it", async () => {
    const { tracing, spans } = recorder();
    const { client, until } = await scene({ connect: { tracing } });
    await until(client.get("k"));
    await until(client.batchPut([{ key: "a", value: "1" }]));
    await until(client.batchGet(["a"]));
    await until(client.compareAndSwap("a", { value: "1" }, "2"));
    await until(client.compareAndDelete("a", { value: "2" }));
    await until(client.conditionalBatch({ conditions: [], mutations: [{ put: "a", value: "1" }] }));
    await until(client.scan({ prefix: "a" }).toArray());
    await until(client.scanReverse({ prefix: "a" }).toArray());
    await until(client.batchDelete(["a"]));
    await until(client.delete("a"));
    await until(client.deleteRange({ prefix: "a" }));
    const calls = spans().filter(({ name }) => name !== "rdb.attempt");
    expect(calls.map(({ name }) => name)).toEqual(
      [
        ...["get", "batchPut", "batchGet", "compareAndSwap", "compareAndDelete", "conditionalBatch"],
        ...["scan", "scanReverse", "batchDelete", "delete", "deleteRange"],
      ].map((name) => `rdb.${name}`),
    );
    expect(new Set(calls.map(({ status }) => status.code))).toEqual(new Set([api.SpanStatusCode.UNSET]));
  });

  test("a retry is an attempt of its own, and says why", async () => {
    const { tracing, spans, span } = recorder();
    const { client, cluster, until } = await scene({ connect: { tracing } });
    cluster.moveLeader("k", 2);
    await until(client.get("k"));
    const [first, second] = spans().filter(({ name }) => name === "rdb.attempt");
    expect(first?.attributes).toMatchObject({ "rdb.attempt": 1, "error.type": "RDB_NOT_LEADER" });
    expect(first?.status.code).toBe(api.SpanStatusCode.ERROR);
    expect(second?.attributes).toMatchObject({ "rdb.attempt": 2, "rdb.retry.reason": "RDB_NOT_LEADER" });
    expect(second?.status.code).toBe(api.SpanStatusCode.UNSET);
    expect(span("rdb.get").attributes).toMatchObject({ "rdb.attempt.count": 2, "rdb.store.id": 2 });
    const sent = requestsOf(cluster).map(({ traceContext = new Uint8Array() }) =>
      decodeTraceContext(traceContext),
    );
    expect(sent.map((context) => context?.spanId)).toEqual([
      first?.spanContext().spanId,
      second?.spanContext().spanId,
    ]);
  });

  test("a call on several Regions has an attempt in each", async () => {
    const { tracing, spans, span } = recorder();
    const { client, until } = await scene({ splitKeys: ["m"], connect: { tracing } });
    await until(client.batchPut(["a", "z"].map((key) => ({ key, value: key }))));
    const regions = spans().map(({ attributes }) => attributes["rdb.region.id"]);
    expect(regions).toEqual([1, 2, 2]);
    expect(span("rdb.batchPut").attributes["rdb.attempt.count"]).toBe(2);
  });

  test("a scan has one span, with an attempt for each page, also when it is left", async () => {
    const { tracing, spans, span } = recorder();
    const { client, until } = await scene({ connect: { tracing } });
    await until(client.batchPut(["a", "b", "c"].map((key) => ({ key, value: key }))));
    const before = spans().length;
    const left = async (): Promise<void> => {
      for await (const row of client.scan({ pageSize: 1 })) {
        expect(row.keyText()).toBe("a");
        break;
      }
    };
    await until(left());
    const { traceId } = span("rdb.scan").spanContext();
    const ofScan = spans().slice(before);
    expect(ofScan.length).toBeGreaterThan(1);
    expect(new Set(ofScan.map((one) => one.spanContext().traceId))).toEqual(new Set([traceId]));
    expect(span("rdb.scan").status.code).toBe(api.SpanStatusCode.UNSET);
  });

  test("a failure has its code, in the attempt that was under way too", async () => {
    const { tracing, spans, span } = recorder();
    const { client, cluster, failure } = await scene({ connect: { tracing } });
    cluster.leaderStore("k").intercept = () => "unanswered";
    await failure(client.put("k", "v", { deadlineMs: 300 }));
    const call = span("rdb.put");
    expect(call.status.code).toBe(api.SpanStatusCode.ERROR);
    expect(call.attributes).toMatchObject({
      "error.type": "RDB_UNDETERMINED_RESULT",
      "db.response.status_code": "RDB_UNDETERMINED_RESULT",
    });
    expect(spans()[0]).toMatchObject({ name: "rdb.attempt", status: { code: api.SpanStatusCode.ERROR } });
  });

  test("what is refused before it is sent is a span without attempts", async () => {
    const { tracing, spans, span } = recorder();
    const { client, failure } = await scene({ connect: { tracing } });
    await failure(client.put("", "v"));
    expect(spans()).toHaveLength(1);
    expect(span("rdb.put").attributes).toMatchObject({
      "error.type": "RDB_INVALID_ARGUMENT",
      "rdb.attempt.count": 0,
    });
  });

  test("the span that is active where the call is made is its parent", async () => {
    const { tracer, span } = recorder();
    const own = tracer.startSpan("own");
    const within: TracingOptions = {
      api: { trace: api.trace, context: { active: () => api.trace.setSpan(api.ROOT_CONTEXT, own) } },
      tracer,
    };
    const { client, until } = await scene({ connect: { tracing: within } });
    await until(client.get("k"));
    expect(span("rdb.get").parentSpanContext?.spanId).toBe(own.spanContext().spanId);
    expect(span("rdb.attempt").spanContext().traceId).toBe(own.spanContext().traceId);
  });

  test("with hooks beside them both are told", async () => {
    const { tracing, span } = recorder();
    const onRequest = vi.fn();
    const { client, cluster, until } = await scene({ connect: { tracing, hooks: { onRequest } } });
    await until(client.put("k", "v"));
    expect(onRequest).toHaveBeenCalledOnce();
    expect(span("rdb.put").attributes["rdb.attempt.count"]).toBe(1);
    expect(requestsOf(cluster)[0]?.traceContext).toHaveLength(25);
  });
});

describe("what costs nothing", () => {
  test("without tracing no request carries anything", async () => {
    const { client, cluster, until } = await scene();
    await until(client.put("k", "v"));
    await until(client.get("k"));
    expect(requestsOf(cluster).map(({ traceContext }) => traceContext)).toEqual([undefined, undefined]);
  });

  test("a call that is not sampled makes no attempts and carries nothing", async () => {
    const { tracing, tracer, spans } = recorder(new AlwaysOffSampler());
    const startSpan = vi.spyOn(tracer, "startSpan");
    const { client, cluster, until } = await scene({ connect: { tracing } });
    await until(client.put("k", "v"));
    await until(client.scan().toArray());
    expect(spans()).toEqual([]);
    expect(startSpan.mock.calls.map(([name]) => name)).toEqual(["rdb.put", "rdb.scan"]);
    expect(requestsOf(cluster).map(({ traceContext }) => traceContext)).toEqual([undefined, undefined]);
  });
});

test("a tracer that throws changes no call, and is told of once", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const { tracing, tracer } = recorder();
  const { client, until } = await scene({ connect: { tracing } });
  const startSpan = vi.spyOn(tracer, "startSpan").mockImplementation(() => {
    throw new Error("broken");
  });
  await until(client.put("k", "1"));
  startSpan.mockRestore();
  vi.spyOn(tracer, "startSpan").mockImplementation(() => {
    const broken = api.trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT);
    return Object.assign(broken, {
      isRecording: () => true,
      end: () => {
        throw new Error("broken too");
      },
    });
  });
  await until(client.put("k", "2"));
  expect((await until(client.get("k")))?.text()).toBe("2");
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.calls[0]?.[1]).toEqual({ code: "RDB_TRACING_FAILED" });
  warn.mockRestore();
});
