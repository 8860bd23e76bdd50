import type { RegionId } from "@flaredb/rdb-base";

/** Of this many Regions at most is remembered since when; the oldest are forgotten first, and begin anew. */
const MAX_REGIONS = 100_000;

/** Since when something has been so of a Region, as seen by who looks at it again and again. In memory only. */
export class FirstSeen {
  readonly #seen = new Map<RegionId, { readonly mark: number; readonly sinceMs: number }>();

  /** How long it has been so. Begins anew when `mark` is another one than before. */
  lastsMs(id: RegionId, mark: number, nowMs: number): number {
    const seen = this.#seen.get(id);
    if (seen?.mark === mark) {
      return nowMs - seen.sinceMs;
    }
    this.#seen.delete(id);
    this.#seen.set(id, { mark, sinceMs: nowMs });
    if (this.#seen.size > MAX_REGIONS) {
      const oldest = this.#seen.keys().next();
      if (oldest.done !== true) {
        this.#seen.delete(oldest.value);
      }
    }
    return 0;
  }

  /** It is not so any more. */
  forget(id: RegionId): void {
    this.#seen.delete(id);
  }
}
