import {
  type KeyRange,
  type Region,
  type RegionId,
  compareEndKeys,
  compareKeys,
  epochIsStale,
  formatRange,
  keyInRange,
  keysEqual,
  rangesOverlap,
} from "@flaredb/rdb-base";
import { type Place, SortedRegions } from "./sorted-regions.ts";

/** What became of a Region that was offered to the tree. */
export type PutResult =
  | { readonly accepted: true; readonly removed: readonly Region[] }
  | { readonly accepted: false; readonly reason: string };

/**
 * Regions in the order of their keys. No two overlap; there may be gaps, while a split is known only in part.
 * What is newer by its epoch wins, whatever the order in which it was learned (SCENARIOS 58).
 */
export class RegionTree {
  /** By start key. Invariant: each ends at or before the start of the next. */
  readonly #ordered = new SortedRegions();
  readonly #byId = new Map<RegionId, Region>();

  get size(): number {
    return this.#ordered.size;
  }

  get(id: RegionId): Region | undefined {
    return this.#byId.get(id);
  }

  /** In the order of their keys, in a list of the caller's own. */
  all(): readonly Region[] {
    return this.#ordered.all();
  }

  /** The Region that holds the key. */
  holding(key: Uint8Array): Region | undefined {
    const region = this.#ordered.get(this.#firstEndingAfter(key));
    return region !== undefined && keyInRange(key, region) ? region : undefined;
  }

  /** The Region that holds the keys just below `key`; an empty key stands for the end of the key space. */
  before(key: Uint8Array): Region | undefined {
    const region =
      key.length === 0 ? this.#ordered.last() : this.#ordered.before(this.#firstStartingAtOrAfter(key));
    return region !== undefined && compareEndKeys(region.endKey, key) >= 0 ? region : undefined;
  }

  /** At most `limit` Regions from the one that holds `startKey`, or the first behind it, on. */
  page(
    startKey: Uint8Array,
    limit: number,
  ): { readonly regions: readonly Region[]; readonly next: Region | undefined } {
    const regions: Region[] = [];
    for (const region of this.#ordered.from(this.#firstEndingAfter(startKey))) {
      if (regions.length === limit) {
        return { regions, next: region };
      }
      regions.push(region);
    }
    return { regions, next: undefined };
  }

  overlapping(range: KeyRange): readonly Region[] {
    const found: Region[] = [];
    for (const region of this.#ordered.from(this.#firstEndingAfter(range.startKey))) {
      if (!rangesOverlap(region, range)) {
        break;
      }
      found.push(region);
    }
    return found;
  }

  /** Why the Region is out of date, or undefined when it is news or known. */
  staleReason(region: Region): string | undefined {
    const known = this.#byId.get(region.id);
    if (known !== undefined && epochIsStale(region.epoch, known.epoch)) {
      return `epoch ${formatEpoch(region)} is behind the known ${formatEpoch(known)}`;
    }
    if (known !== undefined && sameRange(known, region)) {
      // Where it is nothing else is.
      return undefined;
    }
    // Each change of the range that covers a key raises the version there, so of two Regions that overlap the one
    // with the greater version is the newer, and two equal ones cannot both have existed.
    const newer = this.overlapping(region).find(
      (other) => other.id !== region.id && other.epoch.version >= region.epoch.version,
    );
    return newer === undefined
      ? undefined
      : `${formatRange(region)} at version ${region.epoch.version} overlaps region ${newer.id} ${formatRange(newer)} at version ${newer.epoch.version}`;
  }

  /** Takes the Region in, and out what it replaces: its older self, and the older Regions that it overlaps. */
  put(region: Region): PutResult {
    const reason = this.staleReason(region);
    if (reason !== undefined) {
      return { accepted: false, reason };
    }
    const known = this.#byId.get(region.id);
    if (known !== undefined && sameRange(known, region)) {
      const { startKey, endKey } = known;
      const kept = { ...region, startKey, endKey };
      this.#ordered.replace(known, kept);
      this.#byId.set(region.id, kept);
      return { accepted: true, removed: [] };
    }
    if (known !== undefined) {
      this.#remove(known);
    }
    const removed = this.overlapping(region);
    for (const other of removed) {
      this.#remove(other);
    }
    const kept = this.#withOwnKeys(region);
    this.#ordered.add(kept);
    this.#byId.set(region.id, kept);
    return { accepted: true, removed };
  }

  /** Keys come as pieces of whole messages, which they would keep alive; neighbours share the one between them. */
  #withOwnKeys(region: Region): Region {
    const place = this.#firstStartingAtOrAfter(region.startKey);
    const left = this.#ordered.before(place)?.endKey;
    const right = this.#ordered.get(place)?.startKey;
    const startKey =
      left !== undefined && keysEqual(left, region.startKey) ? left : new Uint8Array(region.startKey);
    const endKey =
      right !== undefined && keysEqual(right, region.endKey) ? right : new Uint8Array(region.endKey);
    return { ...region, startKey, endKey };
  }

  #remove(region: Region): void {
    this.#ordered.remove(region);
    this.#byId.delete(region.id);
  }

  #firstStartingAtOrAfter(key: Uint8Array): Place {
    return this.#ordered.find((region) => compareKeys(region.startKey, key) >= 0);
  }

  #firstEndingAfter(key: Uint8Array): Place {
    return this.#ordered.find((region) => region.endKey.length === 0 || compareKeys(region.endKey, key) > 0);
  }
}

function sameRange(a: KeyRange, b: KeyRange): boolean {
  return compareKeys(a.startKey, b.startKey) === 0 && compareEndKeys(a.endKey, b.endKey) === 0;
}

function formatEpoch(region: Region): string {
  return `${region.epoch.confVer}.${region.epoch.version}`;
}
