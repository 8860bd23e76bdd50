import { RdbError } from "@flaredb/rdb-base";
import type { BatchDeleteResult, BatchPutResult } from "../operations/batch.ts";
import type { CompareOptions, CompareResult, Expectation } from "../operations/compare.ts";
import type { ConditionalBatchResult } from "../operations/conditional-batch.ts";
import type { DeleteRangeResult } from "../operations/delete-range.ts";
import type { DeleteResult, PutResult } from "../operations/point.ts";
import type { ScanOptions } from "../operations/scan.ts";
import type { Bytes, CallOptions, ReadOptions } from "../options.ts";
import type { Row } from "../row.ts";
import type { RangeOptions } from "../validate.ts";
import type { KeySpace, Scanned } from "./key-space.ts";
import { MappedScan } from "./mapped-scan.ts";
import { type TypedCodecs, type TypedRow, decodeRow, encodeField } from "./typed-row.ts";

/** {@link RangeOptions} with typed bounds. */
export interface TypedRange<Key> {
  /** The bytes that encoded keys begin with. */
  readonly prefix?: Bytes;
  /** The first key, inside. */
  readonly start?: Key;
  /** The key after the last, outside. */
  readonly end?: Key;
}

/** {@link ScanOptions} with typed bounds. Values are always read. */
export interface TypedScanOptions<Key>
  extends TypedRange<Key>,
    Omit<ScanOptions, "prefix" | "start" | "end" | "keysOnly"> {}

/** {@link Expectation} with a typed value: it must be encoded to the same bytes each time. */
export type TypedExpectation<Value> =
  | { readonly version: number }
  | { readonly value: Value }
  | { readonly absent: true };

/** {@link CompareResult} with a typed row. */
export interface TypedCompareResult<Key, Value> extends Omit<CompareResult, "previous"> {
  readonly previous: TypedRow<Key, Value> | undefined;
}

/** {@link ConditionalBatch} with typed keys and values. */
export interface TypedConditionalBatch<Key, Value> {
  readonly conditions?: readonly (
    | { readonly key: Key; readonly version: number }
    | { readonly key: Key; readonly absent: true }
  )[];
  readonly mutations: readonly ({ readonly put: Key; readonly value: Value } | { readonly delete: Key })[];
}

/**
 * A key space with typed keys and values. What each operation promises stands with {@link RdbClient}; beyond that
 * - what cannot be encoded fails with RDB_INVALID_ARGUMENT before anything is sent;
 * - a row that was read and cannot be decoded fails with RDB_DATA_CORRUPT, its encoded `key` in the details.
 */
export class TypedSpace<Key, Value> {
  readonly #space: KeySpace;
  readonly #codecs: TypedCodecs<Key, Value>;

  /** @internal Made by {@link KeySpace.typed}. */
  constructor(space: KeySpace, codecs: TypedCodecs<Key, Value>) {
    this.#space = space;
    this.#codecs = codecs;
  }

  async get(key: Key, options?: ReadOptions): Promise<TypedRow<Key, Value> | undefined> {
    return this.#row(await this.#space.get(this.#key("key", key), options));
  }

  async batchGet(keys: readonly Key[], options?: ReadOptions): Promise<(TypedRow<Key, Value> | undefined)[]> {
    const rows = await this.#space.batchGet(this.#keys(keys), options);
    return rows.map((row) => this.#row(row));
  }

  async put(key: Key, value: Value, options?: CallOptions): Promise<PutResult> {
    return this.#space.put(this.#key("key", key), this.#value("value", value), options);
  }

  async batchPut(
    rows: readonly { readonly key: Key; readonly value: Value }[],
    options?: CallOptions,
  ): Promise<BatchPutResult> {
    const encoded = rows.map(({ key, value }, place) => ({
      key: this.#key(`rows[${place}].key`, key),
      value: this.#value(`rows[${place}].value`, value),
    }));
    return this.#space.batchPut(encoded, options);
  }

  async delete(key: Key, options?: CallOptions): Promise<DeleteResult> {
    return this.#space.delete(this.#key("key", key), options);
  }

  async batchDelete(keys: readonly Key[], options?: CallOptions): Promise<BatchDeleteResult> {
    return this.#space.batchDelete(this.#keys(keys), options);
  }

  /** The range must be named in full: `{ prefix }`, or both `start` and `end`. */
  async deleteRange(range: TypedRange<Key>, options?: CallOptions): Promise<DeleteRangeResult> {
    return this.#space.deleteRange(this.#range(range), options);
  }

  scan(options: TypedScanOptions<Key> = {}): Scanned<TypedRow<Key, Value>> {
    return this.#decoded(this.#space.scan(this.#scanOptions(options)));
  }

  scanReverse(options: TypedScanOptions<Key> = {}): Scanned<TypedRow<Key, Value>> {
    return this.#decoded(this.#space.scanReverse(this.#scanOptions(options)));
  }

  async compareAndSwap(
    key: Key,
    expect: TypedExpectation<Value>,
    value: Value,
    options?: CompareOptions,
  ): Promise<TypedCompareResult<Key, Value>> {
    const encoded = this.#value("value", value);
    const sent = this.#key("key", key);
    return this.#compared(
      await this.#space.compareAndSwap(sent, this.#expectation(expect), encoded, options),
    );
  }

  async compareAndDelete(
    key: Key,
    expect: TypedExpectation<Value>,
    options?: CompareOptions,
  ): Promise<TypedCompareResult<Key, Value>> {
    const sent = this.#key("key", key);
    return this.#compared(await this.#space.compareAndDelete(sent, this.#expectation(expect), options));
  }

  async conditionalBatch(
    batch: TypedConditionalBatch<Key, Value>,
    options?: CallOptions,
  ): Promise<ConditionalBatchResult> {
    const conditions = batch.conditions?.map((condition, place) => ({
      ...condition,
      key: this.#key(`conditions[${place}].key`, condition.key),
    }));
    const mutations = batch.mutations.map((mutation, place) =>
      "put" in mutation
        ? {
            put: this.#key(`mutations[${place}].put`, mutation.put),
            value: this.#value(`mutations[${place}].value`, mutation.value),
          }
        : { delete: this.#key(`mutations[${place}].delete`, mutation.delete) },
    );
    return this.#space.conditionalBatch({ ...(conditions && { conditions }), mutations }, options);
  }

  #key(field: string, key: Key): Bytes {
    return encodeField(this.#codecs.key, field, key);
  }

  #keys(keys: readonly Key[]): Bytes[] {
    return keys.map((key, place) => this.#key(`keys[${place}]`, key));
  }

  #value(field: string, value: Value): Bytes {
    return encodeField(this.#codecs.value, field, value);
  }

  #row(row: Row | undefined): TypedRow<Key, Value> | undefined {
    return row && decodeRow(this.#codecs, row);
  }

  #range({ prefix, start, end }: TypedRange<Key>): RangeOptions {
    return {
      ...(prefix !== undefined && { prefix }),
      ...(start !== undefined && { start: this.#key("start", start) }),
      ...(end !== undefined && { end: this.#key("end", end) }),
    };
  }

  #scanOptions(options: TypedScanOptions<Key>): ScanOptions {
    const { prefix: _prefix, start: _start, end: _end, ...others } = options;
    return { ...others, ...this.#range(options) };
  }

  #decoded(scan: Scanned<Row>): Scanned<TypedRow<Key, Value>> {
    return new MappedScan(scan, { item: (row) => decodeRow(this.#codecs, row) });
  }

  #expectation(expect: TypedExpectation<Value>): Expectation {
    return "value" in expect ? { value: this.#value("expect.value", expect.value) } : expect;
  }

  /** A write that happened must not be told as one that did not, whatever stood there before. */
  #compared(result: CompareResult): TypedCompareResult<Key, Value> {
    try {
      return { ...result, previous: this.#row(result.previous) };
    } catch (error) {
      if (!result.succeeded) {
        throw error;
      }
      const { details, message } = RdbError.from(error);
      throw new RdbError(
        "RDB_UNDETERMINED_RESULT",
        `the write is applied, once, but the previous ${message}`,
        {
          details: { ...details, isApplied: true },
          cause: error,
        },
      );
    }
  }
}
