import type { ErrorCode, RdbError } from "@flaredb/rdb-base";
import { encodeTraceContext } from "@flaredb/rdb-proto";
import { parseAddress } from "@flaredb/rdb-wire";
import type { CallWatch } from "../call-watch.ts";
import type { KvCall } from "../kv-call.ts";
import type { Attributes, SafeTracer } from "./safe-tracer.ts";
import type { SpanLike, TraceContextLike } from "./trace-api.ts";

/** `db.system.name` of every span here. */
const SYSTEM = "flaredb";
const SAMPLED = 1;

/** The span of one call, and what its requests came to. Not made for a call that is not recorded. */
export class CallTrace {
  readonly tracer: SafeTracer;
  readonly operation: string;
  /** What the spans of attempts are within. */
  readonly inside: TraceContextLike;
  readonly #span: SpanLike;
  attemptCount = 0;
  /** Where the last attempt went. */
  lastPlace: Attributes = {};

  private constructor(tracer: SafeTracer, operation: string, span: SpanLike, parent: TraceContextLike) {
    this.tracer = tracer;
    this.operation = operation;
    this.#span = span;
    this.inside = tracer.within(parent, span);
  }

  static begin(tracer: SafeTracer, operation: string): CallTrace | undefined {
    const parent = tracer.active();
    const span = parent && tracer.start(`rdb.${operation}`, attributesOf(operation), parent);
    return parent && span && new CallTrace(tracer, operation, span, parent);
  }

  /** One request of the call begins. */
  request(): RequestTrace {
    return new RequestTrace(this);
  }

  end(error?: RdbError): void {
    this.tracer.end(this.#span, { ...this.lastPlace, "rdb.attempt.count": this.attemptCount }, error);
  }
}

/** The attempts of one request, a span each. */
export class RequestTrace implements CallWatch {
  readonly #trace: CallTrace;
  #attempt: SpanLike | undefined;
  #attemptCount = 0;
  traceContext: Uint8Array | undefined;

  constructor(trace: CallTrace) {
    this.#trace = trace;
  }

  attempt(call: KvCall, address: string | undefined): void {
    const { tracer, operation, inside } = this.#trace;
    this.#attemptCount++;
    this.#trace.attemptCount++;
    const place = placeOf(call, address);
    this.#trace.lastPlace = place;
    const attributes: Attributes = {
      ...attributesOf(operation),
      ...place,
      "rdb.attempt": this.#attemptCount,
    };
    if (this.#attemptCount > 1) {
      attributes["rdb.retry.reason"] = call.lastError?.code ?? "RDB_INTERNAL";
    }
    const span = tracer.start("rdb.attempt", attributes, inside);
    const { traceId = "", spanId = "", traceFlags = 0 } = span?.spanContext() ?? {};
    this.#attempt = span;
    this.traceContext = (traceFlags & SAMPLED) === 0 ? undefined : encodeTraceContext({ traceId, spanId });
  }

  failed({ lastError }: KvCall): void {
    this.#endAttempt(lastError);
  }

  end(call: KvCall, outcome: "ok" | ErrorCode): void {
    const message = call.lastError?.message ?? "";
    this.#endAttempt(outcome === "ok" ? undefined : { code: outcome, message });
  }

  #endAttempt(error: Pick<RdbError, "code" | "message"> | undefined): void {
    if (this.#attempt !== undefined) {
      this.#trace.tracer.end(this.#attempt, {}, error);
      this.#attempt = undefined;
    }
  }
}

function attributesOf(operation: string): Attributes {
  return { "db.system.name": SYSTEM, "db.operation.name": operation };
}

function placeOf({ entry, storeId }: KvCall, address: string | undefined): Attributes {
  const place: Attributes = {};
  if (entry !== undefined) {
    place["rdb.region.id"] = entry.region.id;
  }
  if (storeId !== undefined) {
    place["rdb.store.id"] = storeId;
  }
  const at = address === undefined ? undefined : hostAndPort(address);
  return at === undefined ? place : { ...place, "server.address": at.host, "server.port": at.port };
}

/** What PD says of a Store is not checked here: without a port it is only not told. */
function hostAndPort(address: string): { readonly host: string; readonly port: number } | undefined {
  try {
    return parseAddress(address);
  } catch {
    return undefined;
  }
}
