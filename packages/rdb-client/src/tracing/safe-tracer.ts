import { RdbError } from "@flaredb/rdb-base";
import type { SpanLike, TraceContextLike, TracerLike, TracingOptions } from "./trace-api.ts";

/** SpanKind.CLIENT and SpanStatusCode.ERROR of `@opentelemetry/api`: numbers that are the same in all its versions. */
const CLIENT = 2;
const ERROR = 2;

export type Attributes = Record<string, string | number>;

/**
 * A tracer that changes no call: what it throws, or a processor of spans behind it, is told once as a process warning
 * with the code `RDB_TRACING_FAILED`.
 */
export class SafeTracer {
  readonly #api: TracingOptions["api"];
  readonly #tracer: TracerLike;
  #hasWarned = false;

  constructor({ api, tracer }: TracingOptions) {
    this.#api = api;
    this.#tracer = tracer ?? api.trace.getTracer("@flaredb/rdb-client");
  }

  /** What is active where the client is called. */
  active(): TraceContextLike | undefined {
    return this.#try(() => this.#api.context.active());
  }

  /** @returns undefined when it failed, or the span is not recorded */
  start(name: string, attributes: Attributes, parent: TraceContextLike): SpanLike | undefined {
    return this.#try(() => {
      const span = this.#tracer.startSpan(name, { kind: CLIENT, attributes }, parent);
      if (span.isRecording()) {
        return span;
      }
      span.end();
      return undefined;
    });
  }

  within(parent: TraceContextLike, span: SpanLike): TraceContextLike {
    return this.#try(() => this.#api.trace.setSpan(parent, span)) ?? parent;
  }

  end(span: SpanLike, attributes: Attributes, error?: Pick<RdbError, "code" | "message">): void {
    this.#try(() => {
      for (const [name, value] of Object.entries(attributes)) {
        span.setAttribute(name, value);
      }
      if (error !== undefined) {
        span.setAttribute("error.type", error.code);
        span.setAttribute("db.response.status_code", error.code);
        span.setStatus({ code: ERROR, message: error.message });
      }
      span.end();
    });
  }

  #try<Value>(use: () => Value): Value | undefined {
    try {
      return use();
    } catch (error) {
      if (!this.#hasWarned) {
        this.#hasWarned = true;
        const message = `the tracer of a FlareDB client failed, and is not told of again: ${RdbError.from(error).message}`;
        process.emitWarning(message, { code: "RDB_TRACING_FAILED" });
      }
      return undefined;
    }
  }
}
