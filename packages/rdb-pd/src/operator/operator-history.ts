import type { OperatorRecord } from "./operator-record.ts";

/** What ended last; bounded, the oldest is forgotten first. */
export class OperatorHistory {
  readonly #maxCount: number;
  /** In the order in which they ended. */
  readonly #records = new Map<number, OperatorRecord>();

  /** @param records what ended before, the oldest first */
  constructor(maxCount: number, records: Iterable<OperatorRecord>) {
    this.#maxCount = maxCount;
    for (const record of records) {
      this.add(record);
    }
  }

  add(record: OperatorRecord): void {
    this.#records.set(record.id, record);
    if (this.#records.size > this.#maxCount) {
      for (const oldest of this.#records.keys()) {
        this.#records.delete(oldest);
        return;
      }
    }
  }

  get(id: number): OperatorRecord | undefined {
    return this.#records.get(id);
  }

  /** The latest first, of one Region or of all. */
  latest(limit: number, regionId?: number): OperatorRecord[] {
    const fitting = [...this.#records.values()].filter(
      (record) => regionId === undefined || record.regionId === regionId,
    );
    return fitting.reverse().slice(0, limit);
  }
}
