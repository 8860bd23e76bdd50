/** Tells what was told before, so that a repeated event makes one log line. Bounded: when full, it begins anew. */
export class OnceLog {
  readonly #maxCount: number;
  readonly #seen = new Set<string>();

  constructor(maxCount = 1_024) {
    this.#maxCount = maxCount;
  }

  /** Whether the event is new. */
  isNew(event: string): boolean {
    if (this.#seen.has(event)) {
      return false;
    }
    if (this.#seen.size >= this.#maxCount) {
      this.#seen.clear();
    }
    this.#seen.add(event);
    return true;
  }
}
