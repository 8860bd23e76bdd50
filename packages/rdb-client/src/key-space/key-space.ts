import type { BatchDeleteResult, BatchPutResult, KeyValue } from "../operations/batch.ts";
import type { CompareOptions, CompareResult, Expectation } from "../operations/compare.ts";
import type { ConditionalBatch, ConditionalBatchResult } from "../operations/conditional-batch.ts";
import type { DeleteRangeResult } from "../operations/delete-range.ts";
import type { DeleteResult, PutResult } from "../operations/point.ts";
import type { ScanOptions } from "../operations/scan.ts";
import type { Bytes, CallOptions, ReadOptions } from "../options.ts";
import type { Row } from "../row.ts";
import type { RangeOptions } from "../validate.ts";
import type { Namespace } from "./namespace.ts";
import type { TypedCodecs } from "./typed-row.ts";
import type { TypedSpace } from "./typed-space.ts";

/**
 * Everything that can be done with keys: what an {@link RdbClient} and each {@link Namespace} of it have in common.
 * Code that takes a KeySpace works on a whole cluster and below any prefix alike. What each operation promises stands
 * with the client's.
 */
export interface KeySpace {
  get(key: Bytes, options?: ReadOptions): Promise<Row | undefined>;
  batchGet(keys: readonly Bytes[], options?: ReadOptions): Promise<(Row | undefined)[]>;
  put(key: Bytes, value: Bytes, options?: CallOptions): Promise<PutResult>;
  batchPut(rows: readonly KeyValue[], options?: CallOptions): Promise<BatchPutResult>;
  delete(key: Bytes, options?: CallOptions): Promise<DeleteResult>;
  batchDelete(keys: readonly Bytes[], options?: CallOptions): Promise<BatchDeleteResult>;
  deleteRange(range: RangeOptions, options?: CallOptions): Promise<DeleteRangeResult>;
  scan(options?: ScanOptions): Scanned<Row>;
  scanReverse(options?: ScanOptions): Scanned<Row>;
  compareAndSwap(
    key: Bytes,
    expect: Expectation,
    value: Bytes,
    options?: CompareOptions,
  ): Promise<CompareResult>;
  compareAndDelete(key: Bytes, expect: Expectation, options?: CompareOptions): Promise<CompareResult>;
  conditionalBatch(conditional: ConditionalBatch, options?: CallOptions): Promise<ConditionalBatchResult>;
  /** The keys that begin with `prefix`, as a key space of their own. @throws RdbError RDB_INVALID_ARGUMENT */
  namespace(prefix: Bytes): Namespace;
  /** The same keys and values, read and written through codecs. */
  typed<Key, Value>(codecs: TypedCodecs<Key, Value>): TypedSpace<Key, Value>;
}

/** What a scan gives: one by one, page by page, or all at once. Nothing is asked for before it is iterated. */
export interface Scanned<Item> extends AsyncIterable<Item> {
  /** All at once. */
  toArray(): Promise<Item[]>;
  /** Page by page, which costs less than one by one. No page is empty. */
  pages(): AsyncGenerator<Item[], void, undefined>;
}
