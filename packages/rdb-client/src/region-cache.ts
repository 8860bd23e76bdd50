import {
  type Peer,
  type Region,
  type RegionId,
  assert,
  compareEndKeys,
  compareKeys,
  epochIsStale,
  keyInRange,
  rangesOverlap,
} from "@flaredb/rdb-base";

/** Most Regions that are remembered; past it the one remembered first goes. */
const REGION_CACHE_MAX_COUNT = 100_000;

/** A Region as this client believes it to be. */
export interface RegionEntry {
  readonly region: Region;
  /** Who leads, as far as known. Always one of the Region's peers. */
  readonly leader: Peer | undefined;
}

/** The same, as the cache itself keeps it. */
interface MutableEntry extends RegionEntry {
  leader: Peer | undefined;
}

/**
 * What a client knows of the map: key to Region, Region to leader. Never wrong in a way that matters, because every
 * Store checks: a stale entry costs one more hop.
 *
 * Invariant: the Regions in it do not overlap.
 */
export class RegionCache {
  readonly #maxCount: number;
  readonly #onForgotten: (entry: RegionEntry) => void;
  /** By start key, ascending. */
  readonly #sorted: MutableEntry[] = [];
  /** In the order in which they were remembered. */
  readonly #byId = new Map<RegionId, MutableEntry>();

  /** @param options.onForgotten an entry is not in the map any more: it was replaced, or there was no room */
  constructor(
    options: {
      readonly maxCount?: number;
      readonly onForgotten?: (entry: RegionEntry) => void;
    } = {},
  ) {
    this.#maxCount = options.maxCount ?? REGION_CACHE_MAX_COUNT;
    assert(this.#maxCount >= 1, "a region cache holds at least one Region");
    this.#onForgotten = options.onForgotten ?? (() => {});
  }

  get size(): number {
    return this.#sorted.length;
  }

  /** The Region that holds the key. */
  find(key: Uint8Array): RegionEntry | undefined {
    const entry = this.#sorted[this.#countStartingAtOrBefore(key) - 1];
    return entry !== undefined && keyInRange(key, entry.region) ? entry : undefined;
  }

  /** The Region that holds what is just before the key; an empty key: the last Region. For reverse scans. */
  findBefore(key: Uint8Array): RegionEntry | undefined {
    const isEnd = key.length === 0;
    const entry = this.#sorted[(isEnd ? this.#sorted.length : this.#countStartingBefore(key)) - 1];
    if (entry === undefined || compareEndKeys(entry.region.endKey, key) < 0) {
      return undefined;
    }
    return entry;
  }

  byId(id: RegionId): RegionEntry | undefined {
    return this.#byId.get(id);
  }

  /**
   * Remembers a Region and forgets the older ones that it overlaps. Ignored when it is itself the older one.
   *
   * @param leader who leads; without it, what was known of the Region's leader stays
   * @returns whether the map is different now
   */
  insert(region: Region, leader?: Peer): boolean {
    const overlapping = this.#overlapping(region);
    const known = this.#byId.get(region.id);
    if (
      overlapping.some((entry) => isNewer(entry.region, region)) ||
      (known && isNewer(known.region, region))
    ) {
      return false;
    }
    const kept = leader ?? known?.leader;
    const current = kept === undefined ? undefined : region.peers.find((peer) => peer.id === kept.id);
    if (known !== undefined && sameRegion(known.region, region)) {
      return this.#setLeader(known, current);
    }
    for (const entry of overlapping) {
      this.#remove(entry);
    }
    if (known !== undefined && this.#byId.has(region.id)) {
      this.#remove(known);
    }
    this.#makeRoom();
    const entry: MutableEntry = { region, leader: current };
    this.#sorted.splice(this.#countStartingAtOrBefore(region.startKey), 0, entry);
    this.#byId.set(region.id, entry);
    return true;
  }

  /**
   * A peer was found to lead, or none to.
   *
   * @returns whether that is news; not when the peer is none of the Region's
   */
  setLeader(id: RegionId, leader: Peer | undefined): boolean {
    const entry = this.#byId.get(id);
    if (entry === undefined) {
      return false;
    }
    const peer = leader && entry.region.peers.find((candidate) => candidate.id === leader.id);
    return leader !== undefined && peer === undefined ? false : this.#setLeader(entry, peer);
  }

  /** Forgets a Region: the next call for its keys asks the placement driver. */
  invalidate(id: RegionId): void {
    const entry = this.#byId.get(id);
    if (entry !== undefined) {
      this.#remove(entry);
    }
  }

  #setLeader(entry: MutableEntry, leader: Peer | undefined): boolean {
    const isNews = entry.leader?.id !== leader?.id;
    entry.leader = leader;
    return isNews;
  }

  #overlapping(region: Region): MutableEntry[] {
    const overlapping: MutableEntry[] = [];
    for (let at = Math.max(0, this.#countStartingAtOrBefore(region.startKey) - 1); ; at++) {
      const entry = this.#sorted[at];
      if (
        entry === undefined ||
        (region.endKey.length > 0 && compareKeys(entry.region.startKey, region.endKey) >= 0)
      ) {
        return overlapping;
      }
      if (rangesOverlap(entry.region, region)) {
        overlapping.push(entry);
      }
    }
  }

  #remove(entry: MutableEntry): void {
    const at = this.#countStartingAtOrBefore(entry.region.startKey) - 1;
    assert(this.#sorted[at] === entry, "an entry stands at its start key");
    this.#sorted.splice(at, 1);
    this.#byId.delete(entry.region.id);
    this.#onForgotten(entry);
  }

  #makeRoom(): void {
    if (this.#sorted.length >= this.#maxCount) {
      const [oldest] = this.#byId.values();
      assert(oldest !== undefined, "a full cache has an oldest entry");
      this.#remove(oldest);
    }
  }

  #countStartingAtOrBefore(key: Uint8Array): number {
    return this.#count((entry) => compareKeys(entry.region.startKey, key) <= 0);
  }

  #countStartingBefore(key: Uint8Array): number {
    return this.#count((entry) => compareKeys(entry.region.startKey, key) < 0);
  }

  /** How many entries, from the first on, have the property, which none has after the first that does not. */
  #count(hasIt: (entry: MutableEntry) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (hasIt(this.#sorted[middle] as MutableEntry)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** The Region of a call: that of its key, or with `before` that of what is just before it. */
export function findFor(
  cache: RegionCache,
  call: { readonly key: Uint8Array; readonly before?: boolean },
): RegionEntry | undefined {
  return call.before === true ? cache.findBefore(call.key) : cache.find(call.key);
}

/** Whether `a` proves `b` out of date. Only versions compare across Regions: a split or merge raises them for both. */
function isNewer(a: Region, b: Region): boolean {
  return a.id === b.id ? epochIsStale(b.epoch, a.epoch) : b.epoch.version < a.epoch.version;
}

function sameRegion(a: Region, b: Region): boolean {
  return a.epoch.confVer === b.epoch.confVer && a.epoch.version === b.epoch.version;
}
