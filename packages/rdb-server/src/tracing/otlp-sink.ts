import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  RandomIdGenerator,
  type SpanExporter,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { type Logger, SECOND_MS, type StoreId } from "@flaredb/rdb-base";
import { PROGRAM_VERSION } from "../version.ts";
import { tracesUrl } from "./traces-url.ts";
import type { FinishedRequest, TraceSink } from "./trace-sink.ts";
import { WatchedExporter } from "./watched-exporter.ts";

// Loaded when spans are to be sent, and only then: with what it imports it takes some 10 MB of memory.

export interface OtlpSinkOptions {
  readonly storeId: StoreId;
  readonly logger: Logger;
  /** As `tracing.endpoint`. */
  readonly endpoint: string;
  readonly queueMaxCount: number;
}

/** A batch goes out once there are so many spans, or after so long. */
const BATCH_MAX_COUNT = 512;
const BATCH_DELAY_MS = SECOND_MS;
/** A send that takes longer has failed, and what it carried is let go; so a Store that closes waits no longer either. */
const SEND_TIMEOUT_MS = 5 * SECOND_MS;

/** Makes OpenTelemetry spans of requests when they are over, and sends them to a collector. */
export class OtlpSink implements TraceSink {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #exporter: WatchedExporter;
  readonly #queueMaxCount: number;
  readonly #storeId: StoreId;
  /** For the trace that begins next. */
  #nextTraceId = "";

  constructor({ storeId, logger, endpoint, queueMaxCount }: OtlpSinkOptions) {
    this.#storeId = storeId;
    this.#queueMaxCount = queueMaxCount;
    const url = tracesUrl(endpoint);
    const otlp: SpanExporter = new OTLPTraceExporter({ url, timeoutMillis: SEND_TIMEOUT_MS });
    this.#exporter = new WatchedExporter(otlp, logger, url);
    const random = new RandomIdGenerator();
    this.#provider = new TracerProvider({
      // What comes here was chosen before.
      sampler: new AlwaysOnSampler(),
      idGenerator: {
        generateTraceId: () => this.#nextTraceId,
        generateSpanId: () => random.generateSpanId(),
      },
      resource: resourceFromAttributes({
        "service.name": "rdb-server",
        "service.version": PROGRAM_VERSION,
        "service.instance.id": `store-${storeId}`,
      }),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: this.#exporter,
          maxQueueSize: queueMaxCount,
          maxExportBatchSize: Math.min(BATCH_MAX_COUNT, queueMaxCount),
          scheduledDelayMillis: BATCH_DELAY_MS,
          exportTimeoutMillis: SEND_TIMEOUT_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer("@flaredb/rdb-server", PROGRAM_VERSION);
  }

  take(request: FinishedRequest): void {
    const count = 1 + request.stages.length;
    if (this.#exporter.waitingCount + count > this.#queueMaxCount) {
      this.#exporter.leftOut(count);
      return;
    }
    this.#exporter.waitingCount += count;
    const root = this.#start(request);
    const within = trace.setSpan(ROOT_CONTEXT, root);
    for (const { name, startMs, endMs } of request.stages) {
      this.#tracer.startSpan(name, { startTime: startMs }, within).end(endMs);
    }
    root.end(request.endMs);
  }

  async close(): Promise<void> {
    // A last send that fails is told by the exporter.
    await this.#provider.shutdown().catch(() => {});
  }

  #start(request: FinishedRequest): Span {
    const { operation, regionId, error, startMs } = request;
    const attributes = {
      "db.system.name": "flaredb",
      "db.operation.name": operation,
      "rdb.store.id": this.#storeId,
      ...(regionId === undefined ? {} : { "rdb.region.id": regionId }),
      ...(error === undefined ? {} : { "error.type": error.code, "db.response.status_code": error.code }),
    };
    const span = this.#tracer.startSpan(
      "rdb.store.request",
      { kind: SpanKind.SERVER, startTime: startMs, attributes },
      this.#parentOf(request),
    );
    if (error !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    return span;
  }

  #parentOf({ traceId, parentSpanId }: FinishedRequest): Context {
    if (parentSpanId === undefined) {
      this.#nextTraceId = traceId;
      return ROOT_CONTEXT;
    }
    const parent = { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    return trace.setSpanContext(ROOT_CONTEXT, parent);
  }
}
