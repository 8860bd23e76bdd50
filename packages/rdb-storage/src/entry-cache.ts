import { type Index, type RegionId, assert } from "@flaredb/rdb-base";
import type { Entry } from "@flaredb/rdb-raft";

/** What an entry costs beside its data: the object and its place. */
const ENTRY_OVERHEAD_BYTES = 96;

/** Cached entries that are dropped at a time, at least: dropping moves what stays. */
const EVICT_FRACTION = 4;

/** The newest entries of one Region. Invariant: their indexes follow one another. */
interface Recent {
  entries: Entry[];
  bytes: number;
}

/**
 * The newest log entries of all Regions of a Store, within one bound of bytes: what is appended is sent to followers
 * and applied soon after. The Region that was appended to longest ago loses its oldest entries first.
 */
export class EntryCache {
  readonly #maxBytes: number;
  /** In the order of the last append. */
  readonly #regions = new Map<RegionId, Recent>();
  #bytes = 0;

  constructor(maxBytes: number) {
    assert(maxBytes >= 0, "the entry cache has a bound of at least 0 bytes");
    this.#maxBytes = maxBytes;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Entries that follow one another and replace everything from the first one's index on. */
  append(region: RegionId, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) {
      return;
    }
    this.truncateFrom(region, first.index);
    let recent = this.#regions.get(region);
    const last = recent?.entries.at(-1);
    if (recent === undefined || last?.index !== first.index - 1) {
      this.forget(region);
      recent = { entries: [], bytes: 0 };
    }
    for (const entry of entries) {
      recent.entries.push(entry);
      this.#count(recent, costOf(entry));
    }
    this.#regions.delete(region);
    this.#regions.set(region, recent);
    this.#evict();
  }

  get(region: RegionId, position: Index): Entry | undefined {
    const entries = this.#regions.get(region)?.entries;
    const first = entries?.[0];
    return first === undefined ? undefined : entries?.[position - first.index];
  }

  /** Drops the entries from `position` on. */
  truncateFrom(region: RegionId, position: Index): void {
    const recent = this.#regions.get(region);
    const first = recent?.entries[0];
    if (recent !== undefined && first !== undefined) {
      this.#removed(recent, recent.entries.splice(Math.max(position - first.index, 0)));
    }
  }

  /** Drops the entries up to and with `position`. */
  compactTo(region: RegionId, position: Index): void {
    const recent = this.#regions.get(region);
    const first = recent?.entries[0];
    if (recent !== undefined && first !== undefined && position >= first.index) {
      this.#removed(recent, recent.entries.splice(0, position - first.index + 1));
    }
  }

  /** Drops everything of a Region. */
  forget(region: RegionId): void {
    const recent = this.#regions.get(region);
    if (recent !== undefined) {
      this.#bytes -= recent.bytes;
      this.#regions.delete(region);
    }
  }

  #evict(): void {
    while (this.#bytes > this.#maxBytes) {
      const oldest = this.#regions.entries().next();
      assert(oldest.done !== true, "what counts as cached is cached");
      const [region, recent] = oldest.value;
      const drop = Math.max(1, Math.ceil(recent.entries.length / EVICT_FRACTION));
      this.#removed(recent, recent.entries.splice(0, drop));
      if (recent.entries.length === 0) {
        this.#regions.delete(region);
      }
    }
  }

  #removed(recent: Recent, entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#count(recent, -costOf(entry));
    }
  }

  #count(recent: Recent, bytes: number): void {
    recent.bytes += bytes;
    this.#bytes += bytes;
  }
}

function costOf(entry: Entry): number {
  return entry.data.length + ENTRY_OVERHEAD_BYTES;
}
