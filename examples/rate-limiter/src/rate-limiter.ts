import { type KeySpace, type TypedSpace, integerCodec, textCodec } from "@flaredb/rdb-client";

/** How often something may be done. */
export interface Rate {
  /** So many times … */
  readonly limit: number;
  /** … in so long, in milliseconds. All of them may come at once; then they come back one by one. */
  readonly windowMs: number;
}

/** Whether it may be done now. */
export type Decision =
  | {
      readonly allowed: true;
      /** How often it may be done again at once. */
      readonly remaining: number;
    }
  | {
      readonly allowed: false;
      /** When to ask again. */
      readonly retryAfterMs: number;
    };

/** Others may write between our read and our write. Whoever loses so often stands in a crowd: it is told to wait. */
const ATTEMPTS_MAX_COUNT = 8;

/**
 * Limits how often something is done, over all processes that ask with the same key space. It is exact: however many
 * ask at once, no more than `limit` are allowed in any `windowMs`.
 *
 * Of each subject one number is kept, the time at which its allowance is whole again (the generic cell rate algorithm).
 * Taking moves that time on, and a compare-and-swap makes sure that nobody else took meanwhile.
 */
export class RateLimiter {
  readonly #wholeAgain: TypedSpace<string, number>;
  readonly #windowUs: number;
  readonly #intervalUs: number;
  readonly #limit: number;
  readonly #nowMs: () => number;

  /**
   * @param space where the counts are kept, such as `db.namespace("rate/login/")`; one for each rate
   * @param nowMs the wall clock; the limit is as good as the clocks of those who ask agree
   */
  constructor(space: KeySpace, { limit, windowMs }: Rate, nowMs: () => number = Date.now) {
    this.#wholeAgain = space.typed({ key: textCodec, value: integerCodec });
    this.#limit = limit;
    this.#windowUs = Math.round(windowMs * 1_000);
    this.#intervalUs = Math.ceil(this.#windowUs / limit);
    this.#nowMs = nowMs;
  }

  /**
   * Takes one of the subject's allowance if there is one left.
   *
   * @throws RdbError as the SDK does. After RDB_UNDETERMINED_RESULT one may be taken, or not: never two
   */
  async take(subject: string): Promise<Decision> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX_COUNT; attempt++) {
      const row = await this.#wholeAgain.get(subject);
      const nowUs = Math.round(this.#nowMs() * 1_000);
      const wholeUs = Math.max(nowUs, row?.value ?? 0) + this.#intervalUs;
      const excessUs = wholeUs - nowUs - this.#intervalUs * this.#limit;
      if (excessUs > 0) {
        return { allowed: false, retryAfterMs: Math.ceil(excessUs / 1_000) };
      }
      const unchanged = row === undefined ? { absent: true as const } : { version: row.version };
      const { succeeded } = await this.#wholeAgain.compareAndSwap(subject, unchanged, wholeUs);
      if (succeeded) {
        return { allowed: true, remaining: Math.floor(Math.abs(excessUs) / this.#intervalUs) };
      }
    }
    return { allowed: false, retryAfterMs: Math.ceil(this.#intervalUs / 1_000) };
  }

  /** Deletes what is kept of subjects whose allowance is whole again. Run it now and then, anywhere. */
  async sweep(): Promise<number> {
    let sweptCount = 0;
    for await (const { key, value, version } of this.#wholeAgain.scan()) {
      if (value <= this.#nowMs() * 1_000) {
        const { succeeded } = await this.#wholeAgain.compareAndDelete(key, { version });
        sweptCount += succeeded ? 1 : 0;
      }
    }
    return sweptCount;
  }
}
