import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as api from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { createClient } from "@connectrpc/connect";
import { RdbClient, type TracingOptions } from "@flaredb/rdb-client";
import { KvService } from "@flaredb/rdb-proto";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TestCluster } from "./cluster.ts";
import { type CollectedSpan, Collector, attributesOf } from "./tracing/collector.ts";
import { waitFor } from "./wait.ts";

// One trace, from a call of the SDK through its Store to apply, as a collector sees it; and nothing of it unless it is
// turned on.

const TIMEOUT_MS = 20_000;
const NOTE_MODULES = new URL("tracing/note-modules.mjs", import.meta.url).href;

const SERVER = 2;
const ERROR = 2;

let collector: Collector;
let cluster: TestCluster;

beforeEach(async () => {
  collector = await Collector.start();
});
afterEach(async () => {
  await cluster?.dispose();
  collector.close();
});

/** A cluster that notes what its Stores load. */
async function startCluster(tracing: Record<string, unknown>, storeCount: number): Promise<void> {
  cluster = await TestCluster.prepare({ storeCount, storeConfig: { tracing } });
  for (const store of cluster.stores) {
    store.surround({ NODE_OPTIONS: `--import=${NOTE_MODULES}`, LOADED_MODULES_FILE: loadedFile() });
  }
  await Promise.all([cluster.pd.launch(), ...cluster.stores.map((store) => store.launch())]);
  await cluster.waitUntilServing();
}

function loadedFile(): string {
  return join(cluster.folder, "loaded-modules");
}

/** A client that traces, and the spans that it made. */
async function connect(): Promise<{ client: RdbClient; exporter: InMemorySpanExporter }> {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracing: TracingOptions = { api, tracer: provider.getTracer("test") };
  const client = await RdbClient.connect({ pd: cluster.pdAddress, tracing });
  return { client, exporter };
}

/** The Store's spans of a trace, once its request is over and they were sent. */
async function storeSpans(traceId: string): Promise<{ root: CollectedSpan; stages: CollectedSpan[] }> {
  const root = await waitFor("the span of the request", TIMEOUT_MS, () =>
    collector.ofTrace(traceId).find(({ name }) => name === "rdb.store.request"),
  );
  return { root, stages: collector.ofTrace(traceId).filter((span) => span !== root) };
}

function startOf({ startTimeUnixNano }: CollectedSpan): number {
  return Number(startTimeUnixNano);
}

function endOf({ endTimeUnixNano }: CollectedSpan): number {
  return Number(endTimeUnixNano);
}

describe("a cluster that sends its spans to a collector", () => {
  beforeEach(() => startCluster({ endpoint: collector.url }, 3));

  test("a put is one trace, from the SDK through the Store to apply", async () => {
    const { client, exporter } = await connect();
    try {
      await client.put("k", "v");
      const [attempt, call] = exporter.getFinishedSpans();
      expect([attempt?.name, call?.name]).toEqual(["rdb.attempt", "rdb.put"]);
      const { traceId, spanId } = attempt?.spanContext() ?? api.INVALID_SPAN_CONTEXT;
      const { root, stages } = await storeSpans(traceId);
      expect([root.parentSpanId, root.kind, root.status.code ?? 0]).toEqual([spanId, SERVER, 0]);
      expect(attributesOf(root)).toEqual({
        "db.system.name": "flaredb",
        "db.operation.name": "put",
        "rdb.store.id": attempt?.attributes["rdb.store.id"],
        "rdb.region.id": attempt?.attributes["rdb.region.id"],
      });
      const names = ["rdb.store.queue", "rdb.raft.append", "rdb.raft.commit", "rdb.store.apply"];
      expect(stages.map(({ name }) => name)).toEqual(names);
      expect(new Set(stages.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root.spanId]));
      const [queue, append, commit, apply] = stages as [
        CollectedSpan,
        CollectedSpan,
        CollectedSpan,
        CollectedSpan,
      ];
      expect(startOf(queue)).toBe(startOf(root));
      expect([startOf(append), startOf(commit)]).toEqual([endOf(queue), endOf(queue)]);
      expect(endOf(append)).toBeLessThanOrEqual(endOf(commit));
      expect(startOf(apply)).toBe(endOf(commit));
      expect(endOf(apply)).toBe(endOf(root));
      expect(stages.map((span) => endOf(span) - startOf(span)).every((ns) => ns >= 0)).toBe(true);
      const id = Number(attempt?.attributes["rdb.store.id"]);
      expect(collector.resources[0]).toMatchObject({
        "service.name": "rdb-server",
        "service.instance.id": `store-${id}`,
      });
    } finally {
      client.close();
    }
  });

  test("a get shows on whose word it was served", async () => {
    const { client, exporter } = await connect();
    try {
      await client.put("k", "v");
      exporter.reset();
      await client.get("k");
      const traceId = exporter.getFinishedSpans()[0]?.spanContext().traceId ?? "";
      const { root, stages } = await storeSpans(traceId);
      expect(attributesOf(root)["db.operation.name"]).toBe("get");
      expect(stages).toHaveLength(2);
      expect(stages[0]?.name).toMatch(/^rdb\.store\.(lease|read_index)$/);
      expect(stages[1]?.name).toBe("rdb.store.read");
    } finally {
      client.close();
    }
  });

  test("a foreign client's traceparent is taken up, through whichever Store it asks", async () => {
    const leader = await cluster.leaderOf("k");
    const other = cluster.stores.find((store) => store !== leader) ?? leader;
    const connection = unaryTransport(other.address);
    try {
      const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      const kv = createClient(KvService, connection.transport);
      await kv.put({ key: Buffer.from("k"), value: Buffer.from("v") }, { headers });
      const { root } = await storeSpans(traceId);
      expect(root.parentSpanId).toBe("00f067aa0ba902b7");
      const malformed = { headers: { traceparent: "00-xyz" } };
      await kv.put({ key: Buffer.from("k"), value: Buffer.from("w") }, malformed);
    } finally {
      connection.close();
    }
  });

  test("a write that cannot be committed ends with its code, in the client and the Store, whose log names the trace", async () => {
    const { client, exporter } = await connect();
    const leader = await cluster.leaderOf("k");
    try {
      await client.put("k", "v");
      exporter.reset();
      for (const store of cluster.stores.filter((one) => one !== leader)) {
        store.freeze();
      }
      await expect(client.put("k", "w", { deadlineMs: 1_000 })).rejects.toMatchObject({
        code: "RDB_UNDETERMINED_RESULT",
      });
      const call = exporter.getFinishedSpans().find(({ name }) => name === "rdb.put");
      expect(call?.status.code).toBe(api.SpanStatusCode.ERROR);
      expect(call?.attributes["error.type"]).toBe("RDB_UNDETERMINED_RESULT");
      const { root, stages } = await storeSpans(call?.spanContext().traceId ?? "");
      expect(root.status.code).toBe(ERROR);
      expect(attributesOf(root)["error.type"]).toBe("RDB_STALE_COMMAND");
      expect(stages.map(({ name }) => name)).toEqual([
        "rdb.store.queue",
        "rdb.raft.append",
        "rdb.raft.commit",
      ]);
      const slow = leader
        .log()
        .split("\n")
        .find((line) => line.includes("slow request"));
      expect(JSON.parse(slow ?? "{}")).toMatchObject({ kind: "put", traceId: root.traceId });
    } finally {
      for (const store of cluster.stores) {
        store.thaw();
      }
      client.close();
    }
  });
});

describe("a Store that begins traces itself", () => {
  test("takes the part that it is told of requests that come without one", async () => {
    await startCluster({ endpoint: collector.url, sampleRatio: 1 }, 1);
    const client = await RdbClient.connect({ pd: cluster.pdAddress });
    try {
      await client.put("k", "v");
      const root = await waitFor("the span of the request", TIMEOUT_MS, () =>
        collector.spans.find(({ name }) => name === "rdb.store.request"),
      );
      expect(root.parentSpanId ?? "").toBe("");
      expect(root.traceId).toMatch(/^[\da-f]{32}$/);
      expect(new Set(collector.ofTrace(root.traceId).map(({ name }) => name)).size).toBe(5);
      expect(readFileSync(loadedFile(), "utf8")).toContain("exporter-trace-otlp-http");
    } finally {
      client.close();
    }
  });

  test("sends what it has when it ends", async () => {
    await startCluster({ endpoint: collector.url, sampleRatio: 1 }, 1);
    const client = await RdbClient.connect({ pd: cluster.pdAddress });
    await client.put("k", "v");
    client.close();
    await cluster.stores[0]?.stop();
    expect(collector.spans.map(({ name }) => name)).toContain("rdb.store.request");
  });
});

test("where it is not turned on no Store loads anything for it, whatever a client sends", async () => {
  await startCluster({}, 1);
  const { client, exporter } = await connect();
  try {
    await client.put("k", "v");
    expect(await client.get("k")).toBeDefined();
    expect(exporter.getFinishedSpans()).toHaveLength(4);
    expect(existsSync(loadedFile())).toBe(false);
    expect(collector.requestCount).toBe(0);
  } finally {
    client.close();
  }
});
