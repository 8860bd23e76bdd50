import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { type Logger, regionId, storeId } from "@flaredb/rdb-base";
import { afterEach, describe, expect, it } from "vitest";
import { OtlpSink } from "./otlp-sink.ts";
import type { FinishedRequest } from "./trace-sink.ts";
import { tracesUrl } from "./traces-url.ts";

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) {
    close();
  }
});

/** @param status of every answer */
async function collector(status: () => number): Promise<{ url: string; spans: SentSpan[] }> {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { resourceSpans } = body as {
        resourceSpans: { scopeSpans: { spans: SentSpan[] }[] }[];
      };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(status(), { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans };
}

function logged(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = (_: object, message: string): void => void lines.push(message);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return { logger, lines };
}

function finished(more: Partial<FinishedRequest> = {}): FinishedRequest {
  return {
    traceId: "a".repeat(32),
    parentSpanId: "b".repeat(16),
    regionId: regionId(1),
    operation: "get",
    error: undefined,
    startMs: 1_000,
    endMs: 1_005,
    stages: [{ name: "rdb.store.lease", startMs: 1_000, endMs: 1_001.5 }],
    ...more,
  };
}

function openSink(endpoint: string, logger: Logger, queueMaxCount = 100): OtlpSink {
  return new OtlpSink({ storeId: storeId(7), logger, endpoint, queueMaxCount });
}

describe("OtlpSink", () => {
  it("sends the span of a request, with its stages in it, when it closes", async () => {
    const { url, spans } = await collector(() => 200);
    const { logger, lines } = logged();
    const sink = openSink(url, logger);
    sink.take(finished());
    sink.take(finished({ traceId: "c".repeat(32), parentSpanId: undefined }));
    await sink.close();
    const [stage, root, ownStage, ownRoot] = spans;
    expect(spans.map(({ name }) => name)).toEqual([
      ...["rdb.store.lease", "rdb.store.request"],
      ...["rdb.store.lease", "rdb.store.request"],
    ]);
    expect([root?.traceId, root?.parentSpanId]).toEqual(["a".repeat(32), "b".repeat(16)]);
    expect([stage?.traceId, stage?.parentSpanId]).toEqual([root?.traceId, root?.spanId]);
    expect([ownRoot?.traceId, ownRoot?.parentSpanId ?? ""]).toEqual(["c".repeat(32), ""]);
    expect([ownStage?.traceId, ownStage?.parentSpanId]).toEqual(["c".repeat(32), ownRoot?.spanId]);
    expect(lines).toEqual([]);
  });

  it("leaves whole requests out when too many spans wait, and says so once", async () => {
    const { url, spans } = await collector(() => 200);
    const { logger, lines } = logged();
    const sink = openSink(url, logger, 9);
    for (let count = 0; count < 10; count++) {
      sink.take(finished());
    }
    await sink.close();
    expect(spans).toHaveLength(8);
    expect(lines).toEqual(["spans are left out: too many wait", "the collector takes spans again"]);
  });

  it("tells once of a collector that refuses, and changes nothing else", async () => {
    const { url } = await collector(() => 400);
    const { logger, lines } = logged();
    const sink = openSink(url, logger, 8);
    for (let count = 0; count < 3; count++) {
      sink.take(finished());
    }
    await sink.close();
    expect(lines).toEqual(["the collector does not take spans: they are let go"]);
  });
});

describe("where spans are sent", () => {
  it.each([
    ["http://localhost:4318", "http://localhost:4318/v1/traces"],
    ["http://localhost:4318/", "http://localhost:4318/v1/traces"],
    ["https://traces.example/otlp/v1/traces?key=1", "https://traces.example/otlp/v1/traces?key=1"],
  ])("%s: %s", (endpoint, url) => {
    expect(tracesUrl(endpoint)).toBe(url);
  });
});
