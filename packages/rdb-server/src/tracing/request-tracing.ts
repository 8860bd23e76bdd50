import type { Clock, Random, RegionId } from "@flaredb/rdb-base";
import { type KvRequest, type RegionError, decodeTraceContext } from "@flaredb/rdb-proto";
import { regionErrorToRdbError } from "../rpc/error-mapping.ts";
import { randomTraceId } from "./random-trace-id.ts";
import type { Stage, TraceSink } from "./trace-sink.ts";

export interface RequestTracingOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined: no spans are made. The ids of traces that requests come with are known all the same, for the log. */
  readonly sink: TraceSink | undefined;
  /** Of the requests that come without a context, this part begins a trace here: 0 to 1. */
  readonly sampleRatio: number;
}

/** A request's place in a trace. */
export interface RequestContext {
  readonly traceId: string;
  /** Undefined: the trace begins here. */
  readonly parentSpanId: string | undefined;
}

/** A request that was answered; times on the monotonic clock. */
interface Answered {
  readonly regionId: RegionId | undefined;
  readonly kind: KvRequest["command"]["case"];
  readonly arrivedMs: number;
  readonly answeredMs: number;
  readonly error: RegionError | undefined;
  readonly stages: readonly Stage[];
}

/**
 * Decides which requests are traced, and tells of them when they were answered. While one is under way nothing is kept
 * but the times that each request has.
 */
export class RequestTracing {
  readonly #options: RequestTracingOptions;
  /** As RequestTracingOptions.sampleRatio; may change while the Store runs. */
  sampleRatio: number;

  constructor(options: RequestTracingOptions) {
    this.#options = options;
    this.sampleRatio = options.sampleRatio;
  }

  /** Where a request that arrives is in a trace; undefined: it is in none, as almost all. */
  contextOf({ traceContext }: KvRequest): RequestContext | undefined {
    if (traceContext === undefined) {
      return this.sampleRatio > 0 ? this.#begin() : undefined;
    }
    const context = decodeTraceContext(traceContext);
    return context && { traceId: context.traceId, parentSpanId: context.spanId };
  }

  /** A request was refused on arrival. */
  refused(request: KvRequest, regionId: RegionId | undefined, error: RegionError): void {
    const context = this.contextOf(request);
    if (context !== undefined) {
      const nowMs = this.nowMs();
      const times = { arrivedMs: nowMs, answeredMs: nowMs, stages: [] };
      this.answered(context, { ...times, regionId, kind: request.command.case, error });
    }
  }

  nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  answered({ traceId, parentSpanId }: RequestContext, request: Answered): void {
    const { clock, sink } = this.#options;
    if (sink === undefined) {
      return;
    }
    const { regionId, kind = "unknown", arrivedMs, answeredMs, error, stages } = request;
    const wallMs = clock.wallMs() - clock.monotonicMs();
    sink.take({
      ...{ traceId, parentSpanId, regionId, operation: kind },
      error: error && regionErrorToRdbError(error),
      startMs: wallMs + arrivedMs,
      endMs: wallMs + answeredMs,
      stages: stages.map(({ name, startMs, endMs }) => ({
        name,
        startMs: wallMs + startMs,
        endMs: wallMs + endMs,
      })),
    });
  }

  #begin(): RequestContext | undefined {
    const { random, sink } = this.#options;
    return sink !== undefined && random.nextFraction() < this.sampleRatio
      ? { traceId: randomTraceId(random), parentSpanId: undefined }
      : undefined;
  }
}
