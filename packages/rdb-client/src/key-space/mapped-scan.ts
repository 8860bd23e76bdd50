import type { Scanned } from "./key-space.ts";

/** What becomes of one item of a scan, and of the error that ends it. */
export interface ScanMapping<From, To> {
  readonly item: (from: From) => To;
  /** @returns what is thrown instead. Default: the error itself */
  readonly error?: (error: unknown) => unknown;
}

/** A scan of which each item is made another: without a prefix, or decoded. */
export class MappedScan<From, To> implements Scanned<To> {
  readonly #scan: Scanned<From>;
  readonly #mapping: ScanMapping<From, To>;

  constructor(scan: Scanned<From>, mapping: ScanMapping<From, To>) {
    this.#scan = scan;
    this.#mapping = mapping;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<To, void, undefined> {
    for await (const page of this.pages()) {
      for (const item of page) {
        yield item;
      }
    }
  }

  async toArray(): Promise<To[]> {
    const items: To[] = [];
    for await (const page of this.pages()) {
      for (const item of page) {
        items.push(item);
      }
    }
    return items;
  }

  async *pages(): AsyncGenerator<To[], void, undefined> {
    const pages = this.#scan.pages();
    try {
      for (;;) {
        const next = await this.#next(pages);
        if (next === undefined) {
          return;
        }
        yield next.map(this.#mapping.item);
      }
    } finally {
      // Whoever stops early stops the page that is fetched ahead too.
      await pages.return();
    }
  }

  /** Only what the scan throws is mapped, not what the consumer throws in between. */
  async #next(pages: AsyncGenerator<From[], void, undefined>): Promise<From[] | undefined> {
    try {
      const { done, value } = await pages.next();
      return done === true ? undefined : value;
    } catch (error) {
      throw this.#mapping.error?.(error) ?? error;
    }
  }
}
