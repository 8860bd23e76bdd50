/** Where a sampled request stands in its trace, as W3C trace context says it. */
export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** The span that sent the request: 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string;
}

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const FLAGS_AT = TRACE_ID_BYTES + SPAN_ID_BYTES;
const SIZE_BYTES = FLAGS_AT + 1;
const SAMPLED = 1;

const ids = /^(?!0+$)[\da-f]+$/;
/** Of a later version there may be more behind it, and `ff` is none. */
const traceparent = /^(?!ff)([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** As `KvRequest.trace_context` carries it. undefined: an id is none, so that there is nothing to carry. */
export function encodeTraceContext({ traceId, spanId }: TraceContext): Uint8Array | undefined {
  if (!isId(traceId, TRACE_ID_BYTES) || !isId(spanId, SPAN_ID_BYTES)) {
    return undefined;
  }
  const bytes = new Uint8Array(SIZE_BYTES);
  bytes.set(Buffer.from(traceId, "hex"));
  bytes.set(Buffer.from(spanId, "hex"), TRACE_ID_BYTES);
  bytes[FLAGS_AT] = SAMPLED;
  return bytes;
}

/** What `KvRequest.trace_context` says. undefined: it cannot be read, or its trace is not sampled. */
export function decodeTraceContext(bytes: Uint8Array): TraceContext | undefined {
  if (bytes.length < SIZE_BYTES || ((bytes[FLAGS_AT] as number) & SAMPLED) === 0) {
    return undefined;
  }
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, FLAGS_AT).toString("hex");
  return checked(hex.slice(0, 2 * TRACE_ID_BYTES), hex.slice(2 * TRACE_ID_BYTES));
}

/** The header `traceparent` of the W3C, of whichever version. undefined as of {@link decodeTraceContext}. */
export function parseTraceparent(header: string): TraceContext | undefined {
  const match = traceparent.exec(header);
  const [, version, traceId, spanId, flags, more] = match ?? [];
  if (traceId === undefined || spanId === undefined || (version === "00" && more !== undefined)) {
    return undefined;
  }
  return (Number.parseInt(flags ?? "", 16) & SAMPLED) === 0 ? undefined : checked(traceId, spanId);
}

function checked(traceId: string, spanId: string): TraceContext | undefined {
  return ids.test(traceId) && ids.test(spanId) ? { traceId, spanId } : undefined;
}

function isId(text: string, sizeBytes: number): boolean {
  return text.length === 2 * sizeBytes && ids.test(text);
}
