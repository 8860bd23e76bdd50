export { RdbClient, type ClientPorts } from "./client.ts";
export {
  type Bytes,
  type CallOptions,
  type ConnectOptions,
  type ReadFrom,
  type ReadOptions,
  clientDefaults,
} from "./options.ts";
export { Row } from "./row.ts";
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
