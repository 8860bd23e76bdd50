// What the SDK uses of `@opentelemetry/api`, by shape: whoever traces has the package and hands it in; nobody else needs it.

/** A context of `@opentelemetry/api`: handed on and not looked into. */
export type TraceContextLike = object;

/** A span as `@opentelemetry/api` has it. */
export interface SpanLike {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
  isRecording(): boolean;
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

/** A tracer as `@opentelemetry/api` has it. */
export interface TracerLike {
  startSpan(
    name: string,
    options?: { kind?: number; attributes?: Record<string, string | number> },
    context?: TraceContextLike,
  ): SpanLike;
}

/** The module `@opentelemetry/api`, or what has its shape. */
export interface TraceApi {
  readonly trace: {
    getTracer(name: string): TracerLike;
    setSpan(context: TraceContextLike, span: SpanLike): TraceContextLike;
  };
  readonly context: { active(): TraceContextLike };
}

/** How a client makes spans: of each call, and of each attempt on a Store. Its trace goes on in the Stores. */
export interface TracingOptions {
  /** `import * as api from "@opentelemetry/api"`. Spans are children of what its context says is active. */
  readonly api: TraceApi;
  /** Default: `api.trace.getTracer("@flaredb/rdb-client")`, of the provider that the process has registered. */
  readonly tracer?: TracerLike;
}
