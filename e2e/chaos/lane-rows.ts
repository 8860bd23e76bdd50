const VALUE_BYTES = 400;
/** Rows of a lane that are kept at least, once older ones are taken away. */
const KEPT_COUNT = 8_000;
/** With more than this, the older ones are due. */
const DUE_COUNT = 2 * KEPT_COUNT;

/**
 * The rows of one lane: which were begun, which were acknowledged, and which were read back and deleted since, so that
 * neither a run's memory nor its Stores' disks grow with its length.
 */
export class LaneRows {
  readonly prefix: string;
  readonly #acknowledged = new Set<number>();
  readonly #givenUp = new Set<number>();
  #acknowledgedCount = 0;
  #nextPlace = 0;
  /** Rows before this one were deleted. */
  #firstPlace = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** All that ever were. */
  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** The next row to write. */
  begin(): { readonly place: number; readonly key: string; readonly value: string } {
    const place = this.#nextPlace++;
    const key = this.keyAt(place);
    return { place, key, value: valueOf(key) };
  }

  acknowledged(place: number): void {
    this.#acknowledged.add(place);
    this.#acknowledgedCount++;
  }

  /** Nothing is promised of it. */
  gaveUp(place: number): void {
    this.#givenUp.add(place);
  }

  /** The place before which rows are to be read back and deleted now; undefined while there are few. */
  get duePlace(): number | undefined {
    const isDue = this.#nextPlace - this.#firstPlace > DUE_COUNT;
    return isDue ? this.#nextPlace - KEPT_COUNT : undefined;
  }

  /** Rows before `place` are deleted: none of them may be found again. */
  deletedBefore(place: number): void {
    for (let gone = this.#firstPlace; gone < place; gone++) {
      this.#acknowledged.delete(gone);
    }
    this.#firstPlace = place;
  }

  /**
   * Holds all rows of the lane before `place`, as they were read, against what was acknowledged.
   *
   * @returns in words what is missing, wrong, or there again after it was deleted
   */
  problems(found: ReadonlyMap<string, string>, place = this.#nextPlace): string[] {
    const problems: string[] = [];
    for (let at = this.#firstPlace; at < place; at++) {
      const key = this.keyAt(at);
      const value = found.get(key);
      if (value === undefined ? this.#acknowledged.has(at) : value !== valueOf(key)) {
        problems.push(value === undefined ? `${key} is missing` : `${key} has another value`);
      }
    }
    for (const key of found.keys()) {
      const at = Number(key.slice(this.prefix.length));
      if (at < this.#firstPlace && !this.#givenUp.has(at)) {
        problems.push(`${key} is there again, after it was deleted`);
      }
    }
    return problems;
  }

  keyAt(place: number): string {
    return `${this.prefix}${place.toString().padStart(9, "0")}`;
  }
}

function valueOf(key: string): string {
  return `${key}:`.padEnd(VALUE_BYTES, ".");
}
