export { RdbClient, type ClientPorts } from "./client.ts";
export {
  type Bytes,
  type CallOptions,
  type ConnectOptions,
  type ReadFrom,
  type ReadOptions,
  clientDefaults,
} from "./options.ts";
export type { TlsFiles } from "@flaredb/rdb-wire";
export type { ClientHooks, RequestEvent, RetryEvent } from "./hooks.ts";
export type {
  SpanLike,
  TraceApi,
  TraceContextLike,
  TracerLike,
  TracingOptions,
} from "./tracing/trace-api.ts";
export { Row } from "./row.ts";
export type { KeySpace, Scanned } from "./key-space/key-space.ts";
export type { Namespace } from "./key-space/namespace.ts";
export {
  type Codec,
  type Schema,
  bytesCodec,
  integerCodec,
  jsonCodec,
  textCodec,
} from "./key-space/codec.ts";
export type { TypedCodecs, TypedRow } from "./key-space/typed-row.ts";
export type {
  TypedCompareResult,
  TypedConditionalBatch,
  TypedExpectation,
  TypedRange,
  TypedScanOptions,
  TypedSpace,
} from "./key-space/typed-space.ts";
export type { Scan, ScanOptions } from "./operations/scan.ts";
export type { DeleteResult, PutResult } from "./operations/point.ts";
export type { BatchDeleteResult, BatchPart, BatchPutResult, KeyValue } from "./operations/batch.ts";
export type { DeleteRangePart, DeleteRangeResult } from "./operations/delete-range.ts";
export type { CompareOptions, CompareResult, Expectation } from "./operations/compare.ts";
export type {
  ConditionalBatch,
  ConditionalBatchResult,
  Mutation,
  VersionCondition,
} from "./operations/conditional-batch.ts";
export type { RangeOptions } from "./validate.ts";
export type {
  AnswerListener,
  AnswerTrace,
  PdConnector,
  PdLink,
  StoreConnector,
  StoreStream,
} from "./ports.ts";
export { RdbError, errorCodes, hasCode, type ErrorCode, type RegionId } from "@flaredb/rdb-base";
