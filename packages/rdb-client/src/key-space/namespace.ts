import type { BatchDeleteResult, BatchPutResult, KeyValue } from "../operations/batch.ts";
import type { CompareOptions, CompareResult, Expectation } from "../operations/compare.ts";
import type { ConditionalBatch, ConditionalBatchResult, Mutation } from "../operations/conditional-batch.ts";
import type { DeleteRangeResult } from "../operations/delete-range.ts";
import type { DeleteResult, PutResult } from "../operations/point.ts";
import type { ScanOptions } from "../operations/scan.ts";
import type { Bytes, CallOptions, ReadOptions } from "../options.ts";
import type { Row } from "../row.ts";
import type { RangeOptions } from "../validate.ts";
import type { KeySpace, Scanned } from "./key-space.ts";
import { MappedScan } from "./mapped-scan.ts";
import { PrefixKeys } from "./prefix-keys.ts";
import type { TypedCodecs } from "./typed-row.ts";
import { TypedSpace } from "./typed-space.ts";

/**
 * The keys of a cluster that begin with a prefix, as a key space of their own: keys go in and come out without it, also
 * in results and in the details of errors, and no operation reaches what lies outside. It behaves as a client of a
 * cluster that has nothing else, but for the longest key, which the prefix makes shorter.
 *
 * A view: it costs no connection, needs no close, and any number of them may be made. The row whose key is the prefix
 * itself lies outside.
 */
export class Namespace implements KeySpace {
  readonly #base: KeySpace;
  readonly #keys: PrefixKeys;

  /** @internal Made by {@link KeySpace.namespace}. */
  constructor(base: KeySpace, prefix: Bytes) {
    this.#base = base;
    this.#keys = new PrefixKeys(prefix);
  }

  /** What the keys begin with, seen from the cluster; a copy. */
  get prefix(): Uint8Array {
    return new Uint8Array(this.#keys.prefix);
  }

  async get(key: Bytes, options?: ReadOptions): Promise<Row | undefined> {
    const outer = this.#keys.outer("key", key);
    const row = await this.#told(this.#base.get(outer, options));
    return row && this.#keys.row(row);
  }

  async batchGet(keys: readonly Bytes[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const rows = await this.#told(this.#base.batchGet(this.#outerKeys(keys), options));
    return rows.map((row) => row && this.#keys.row(row));
  }

  async put(key: Bytes, value: Bytes, options?: CallOptions): Promise<PutResult> {
    return this.#told(this.#base.put(this.#keys.outer("key", key), value, options));
  }

  async batchPut(rows: readonly KeyValue[], options?: CallOptions): Promise<BatchPutResult> {
    const outer = rows.map(({ key, value }, place) => ({
      key: this.#keys.outer(`rows[${place}].key`, key),
      value,
    }));
    return this.#told(this.#base.batchPut(outer, options));
  }

  async delete(key: Bytes, options?: CallOptions): Promise<DeleteResult> {
    return this.#told(this.#base.delete(this.#keys.outer("key", key), options));
  }

  async batchDelete(keys: readonly Bytes[], options?: CallOptions): Promise<BatchDeleteResult> {
    return this.#told(this.#base.batchDelete(this.#outerKeys(keys), options));
  }

  async deleteRange(range: RangeOptions, options?: CallOptions): Promise<DeleteRangeResult> {
    const bounds = this.#keys.namedRange(range);
    const result = await this.#told(this.#base.deleteRange(bounds, options));
    const hasStart = (range.prefix ?? range.start ?? "").length > 0;
    return {
      ...result,
      parts: result.parts.map((part, place) => this.#keys.part(part, place === 0 && !hasStart)),
    };
  }

  scan(options: ScanOptions = {}): Scanned<Row> {
    return this.#scanned(this.#base.scan(this.#scanOptions(options)));
  }

  scanReverse(options: ScanOptions = {}): Scanned<Row> {
    return this.#scanned(this.#base.scanReverse(this.#scanOptions(options)));
  }

  async compareAndSwap(
    key: Bytes,
    expect: Expectation,
    value: Bytes,
    options?: CompareOptions,
  ): Promise<CompareResult> {
    const outer = this.#keys.outer("key", key);
    return this.#compared(await this.#told(this.#base.compareAndSwap(outer, expect, value, options)));
  }

  async compareAndDelete(key: Bytes, expect: Expectation, options?: CompareOptions): Promise<CompareResult> {
    const outer = this.#keys.outer("key", key);
    return this.#compared(await this.#told(this.#base.compareAndDelete(outer, expect, options)));
  }

  async conditionalBatch(
    conditional: ConditionalBatch,
    options?: CallOptions,
  ): Promise<ConditionalBatchResult> {
    const conditions = (conditional.conditions ?? []).map((condition, place) => ({
      ...condition,
      key: this.#keys.outer(`conditions[${place}].key`, condition.key),
    }));
    const mutations = conditional.mutations.map((mutation, place) => this.#mutation(mutation, place));
    return this.#told(this.#base.conditionalBatch({ conditions, mutations }, options));
  }

  namespace(prefix: Bytes): Namespace {
    return new Namespace(this.#base, this.#keys.nested(prefix));
  }

  typed<Key, Value>(codecs: TypedCodecs<Key, Value>): TypedSpace<Key, Value> {
    return new TypedSpace(this, codecs);
  }

  #outerKeys(keys: readonly Bytes[]): Uint8Array[] {
    return keys.map((key, place) => this.#keys.outer(`keys[${place}]`, key));
  }

  #scanOptions({ prefix, start, end, ...others }: ScanOptions): ScanOptions {
    const range = {
      ...(prefix !== undefined && { prefix }),
      ...(start !== undefined && { start }),
      ...(end !== undefined && { end }),
    };
    return { ...others, ...this.#keys.scanRange(range) };
  }

  #scanned(scan: Scanned<Row>): Scanned<Row> {
    return new MappedScan(scan, {
      item: (row) => this.#keys.row(row),
      error: (error) => this.#keys.error(error),
    });
  }

  #compared(result: CompareResult): CompareResult {
    return { ...result, previous: result.previous && this.#keys.row(result.previous) };
  }

  /** One that is neither a put nor a delete goes on as it is: the client says what is wrong with it. */
  #mutation(mutation: Mutation, place: number): Mutation {
    const outer = { ...mutation } as { put?: Bytes; delete?: Bytes; value?: Bytes };
    if (outer.put !== undefined) {
      outer.put = this.#keys.outer(`mutations[${place}].put`, outer.put);
    }
    if (outer.delete !== undefined) {
      outer.delete = this.#keys.outer(`mutations[${place}].delete`, outer.delete);
    }
    return outer as Mutation;
  }

  /** The call, with the keys in the details of its error as they are inside. */
  async #told<Result>(call: Promise<Result>): Promise<Result> {
    try {
      return await call;
    } catch (error) {
      throw this.#keys.error(error);
    }
  }
}
