import type { RdbError } from "@flaredb/rdb-base";

/**
 * Items on their way to one reader. Bounded: past the limit items are refused, and whoever pushes them says them
 * again later.
 */
export class CommandQueue<Item> implements AsyncIterable<Item> {
  readonly #maxCount: number;
  readonly #items: Item[] = [];
  #wake: (() => void) | undefined;
  #end: { readonly error: RdbError | undefined } | undefined;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Whether the item was taken. */
  push(item: Item): boolean {
    if (this.#end !== undefined || this.#items.length >= this.#maxCount) {
      return false;
    }
    this.#items.push(item);
    this.#wake?.();
    return true;
  }

  /** Ends the reader's loop, with the error if there is one. What waits is dropped. Idempotent. */
  end(error?: RdbError): void {
    this.#end ??= { error };
    this.#items.length = 0;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    for (;;) {
      if (this.#end !== undefined) {
        if (this.#end.error !== undefined) {
          throw this.#end.error;
        }
        return;
      }
      if (this.#items.length > 0) {
        yield* this.#items.splice(0);
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}
