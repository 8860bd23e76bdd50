import { pdLimits } from "../limits.ts";

/** Ids that are at hand at once, for decisions that await nothing. Refilled behind the caller's back. */
export class IdReserve {
  readonly #allocate: (count: number) => Promise<number>;
  readonly #onError: (error: unknown) => void;
  /** Invariant: each [next, end) is allocated and unused. */
  readonly #runs: { next: number; readonly end: number }[] = [];
  #count = 0;
  /** Given to a decision that is not made yet. */
  readonly #drawn: number[] = [];
  /** Given to a decision that came to nothing. */
  readonly #returned: number[] = [];
  #isFetching = false;
  /** The last fetch, whether it has ended or not. */
  #fetched = Promise.resolve();

  /**
   * @param allocate the first of so many consecutive ids
   * @param onError it failed; the next `take` tries again
   */
  constructor(allocate: (count: number) => Promise<number>, onError: (error: unknown) => void) {
    this.#allocate = allocate;
    this.#onError = onError;
  }

  /** Ids at hand. */
  get count(): number {
    return this.#count + this.#returned.length;
  }

  /** As `take`, for a decision that may come to nothing: `keepDrawn` or `returnDrawn` follows. */
  draw(): number | undefined {
    const id = this.take();
    if (id !== undefined) {
      this.#drawn.push(id);
    }
    return id;
  }

  /** What was drawn is used. */
  keepDrawn(): void {
    this.#drawn.length = 0;
  }

  /** What was drawn is not used: others may have it. */
  returnDrawn(): void {
    this.#returned.push(...this.#drawn.splice(0).reverse());
  }

  /** An id; undefined while none is at hand. */
  take(): number | undefined {
    const returned = this.#returned.pop();
    if (returned !== undefined) {
      return returned;
    }
    if (this.#count <= pdLimits.idReserveCount / 2) {
      void this.fill();
    }
    const run = this.#runs[0];
    if (run === undefined) {
      return undefined;
    }
    const id = run.next;
    run.next += 1;
    this.#count -= 1;
    if (run.next === run.end) {
      this.#runs.shift();
    }
    return id;
  }

  /** Fetches what is missing; resolves once it is there, or failed. Never rejects. */
  async fill(): Promise<void> {
    const missing = pdLimits.idReserveCount - this.#count;
    if (missing <= 0) {
      return;
    }
    if (!this.#isFetching) {
      this.#fetched = this.#fetch(missing);
    }
    await this.#fetched;
  }

  async #fetch(count: number): Promise<void> {
    this.#isFetching = true;
    try {
      const firstId = await this.#allocate(count);
      this.#runs.push({ next: firstId, end: firstId + count });
      this.#count += count;
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#isFetching = false;
    }
  }
}
