import { type KeyRange, RdbError, compareEndKeys, compareKeys, keyAfter, limits } from "@flaredb/rdb-base";
import { type Answer, type ClientContext, request, termsOf } from "../call-context.ts";
import type { Scanned } from "../key-space/key-space.ts";
import type { ReadOptions } from "../options.ts";
import { type Row, rowFromWire } from "../row.ts";
import { type RangeOptions, checkCount, scanRange } from "../validate.ts";

/** Rows of a page when the caller does not say. */
const PAGE_SIZE = 1_000;

export interface ScanOptions extends RangeOptions, ReadOptions {
  /** Most rows in all. Default: no limit. */
  readonly limit?: number;
  /** Most rows of one page, which is one request. Default 1,000; most 10,000. Large rows make a page shorter. */
  readonly pageSize?: number;
  /** Leaves the values empty. */
  readonly keysOnly?: boolean;
}

interface Page {
  readonly rows: Row[];
  /** Where the next page begins; undefined when that was all. */
  readonly next: Uint8Array | undefined;
}

/**
 * The rows of a range, in the order of their keys or the opposite one. Nothing is asked for before it is iterated;
 * then one page is fetched ahead. Each page shows one moment of one Region; two pages may show two. `deadlineMs`
 * counts for each page.
 */
export class Scan implements Scanned<Row> {
  readonly #context: ClientContext;
  readonly #options: ScanOptions;
  readonly #range: KeyRange;
  readonly #isReverse: boolean;
  readonly #limit: number;
  readonly #pageSize: number;

  /** @internal */
  constructor(context: ClientContext, options: ScanOptions, isReverse: boolean) {
    this.#context = context;
    this.#options = options;
    this.#range = scanRange(options);
    this.#isReverse = isReverse;
    this.#limit = options.limit === undefined ? Infinity : checkCount("limit", options.limit);
    this.#pageSize =
      options.pageSize === undefined
        ? PAGE_SIZE
        : checkCount("pageSize", options.pageSize, limits.scanPageMaxCount);
    termsOf(context, options);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    for await (const page of this.pages()) {
      // Not yield*, which takes twice as long a row.
      for (const row of page) {
        yield row;
      }
    }
  }

  /** All rows at once. */
  async toArray(): Promise<Row[]> {
    const rows: Row[] = [];
    for await (const page of this.pages()) {
      for (const row of page) {
        rows.push(row);
      }
    }
    return rows;
  }

  /** The rows page by page, which costs less than one by one. No page is empty. */
  pages(): AsyncGenerator<Row[], void, undefined> {
    const { tracing } = this.#context;
    return tracing === undefined
      ? this.#pages(this.#context)
      : tracing.iterate(this.#isReverse ? "scanReverse" : "scan", this.#context, (traced) =>
          this.#pages(traced),
        );
  }

  async *#pages(context: ClientContext): AsyncGenerator<Row[], void, undefined> {
    const { startKey, endKey } = this.#range;
    if (endKey.length > 0 && compareKeys(startKey, endKey) >= 0) {
      // No Region holds nothing: at the edge between two, each would send it to the other.
      return;
    }
    const abandoned = new AbortController();
    let remaining = this.#limit;
    let pending: Promise<Page> | undefined = this.#fetch(
      context,
      this.#firstCursor(),
      remaining,
      abandoned.signal,
    );
    try {
      while (pending !== undefined) {
        const page: Page = await pending;
        remaining -= page.rows.length;
        pending =
          page.next === undefined || remaining <= 0
            ? undefined
            : this.#fetch(context, page.next, remaining, abandoned.signal);
        // Its failure is told when its turn comes, or never if nobody wants the page any more.
        pending?.catch(() => {});
        if (page.rows.length > 0) {
          yield page.rows;
        }
      }
    } finally {
      // What is at its end is not aborted: that takes as long as ten rows.
      if (pending !== undefined) {
        abandoned.abort();
      }
    }
  }

  #firstCursor(): Uint8Array {
    return this.#isReverse ? this.#range.endKey : this.#range.startKey;
  }

  async #fetch(
    context: ClientContext,
    cursor: Uint8Array,
    remaining: number,
    abandoned: AbortSignal,
  ): Promise<Page> {
    const { signal } = this.#options;
    const terms = {
      ...termsOf(this.#context, this.#options),
      signal: signal === undefined ? abandoned : AbortSignal.any([signal, abandoned]),
    };
    const range: KeyRange = this.#isReverse
      ? { startKey: this.#range.startKey, endKey: cursor }
      : { startKey: cursor, endKey: this.#range.endKey };
    return request(
      context,
      terms,
      {
        name: "scan",
        command: {
          $typeName: "rdb.v1.ScanRequest",
          ...range,
          limit: Math.min(this.#pageSize, remaining),
          reverse: this.#isReverse,
          keysOnly: this.#options.keysOnly === true,
          maxBytes: 0,
        },
        key: cursor,
        before: this.#isReverse,
        isWrite: false,
        sizeBytes: range.startKey.length + range.endKey.length,
      },
      (answer, by) => ({
        rows: answer.rows.map((row) => rowFromWire(row.key, row, answer.revision, by)),
        next: this.#isReverse ? this.#nextDown(answer) : this.#nextUp(answer),
      }),
    );
  }

  #nextUp(answer: Answer<"scan">): Uint8Array | undefined {
    const next = answer.hasMore ? keyAfter(lastKey(answer)) : answer.regionEndKey;
    return next.length === 0 || compareEndKeys(next, this.#range.endKey) >= 0 ? undefined : next;
  }

  #nextDown(answer: Answer<"scan">): Uint8Array | undefined {
    // A full page may end at the range's first key: nothing is left then, and the Region before that has none of it.
    const next = answer.hasMore ? lastKey(answer) : answer.regionStartKey;
    return next.length === 0 || compareKeys(next, this.#range.startKey) <= 0 ? undefined : next;
  }
}

function lastKey(answer: Answer<"scan">): Uint8Array {
  const last = answer.rows.at(-1);
  if (last === undefined) {
    throw new RdbError("RDB_INTERNAL", "Store answered a scan with no rows but more to come");
  }
  return last.key;
}
