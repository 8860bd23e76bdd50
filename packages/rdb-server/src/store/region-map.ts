import {
  type KeyRange,
  type Region,
  type RegionId,
  assert,
  compareKeys,
  keyInRange,
  rangesOverlap,
} from "@flaredb/rdb-base";
import type { Peer } from "../peer/peer.ts";
import type { HaltedPeer, UnreadablePeer } from "./unreadable-peer.ts";

/** Most siblings that a refusal names. */
const SIBLINGS_MAX_COUNT = 16;

/**
 * The peers of a Store: by Region, and by key. Ranges of one Store's Regions never overlap. A peer that has halted runs
 * no more and is found by no key, but what it has on the disk stays its own until it is destroyed.
 */
export class RegionMap {
  readonly #peers = new Map<RegionId, Peer>();
  readonly #halted = new Map<RegionId, HaltedPeer>();
  /** The initialised ones by start key, ascending; made anew when a Region changed its range or went. */
  #byStartKey: Peer[] | undefined;
  /** Regions whose snapshots are coming in, as those have them. */
  readonly #reserved = new Map<RegionId, Region>();

  get size(): number {
    return this.#peers.size;
  }

  /** The running peer of the Region. */
  get(regionId: RegionId): Peer | undefined {
    return this.#peers.get(regionId);
  }

  /** The peer that has the Region's place here, running or halted. */
  holder(regionId: RegionId): HaltedPeer | undefined {
    return this.#peers.get(regionId) ?? this.#halted.get(regionId);
  }

  isHalted(peer: HaltedPeer): boolean {
    return this.#halted.get(peer.regionId) === peer;
  }

  allHalted(): HaltedPeer[] {
    return [...this.#halted.values()];
  }

  /** The peer, unless it waits for its first snapshot: then the Region is not here yet, for all but its peers. */
  initialised(regionId: RegionId): Peer | undefined {
    const peer = this.#peers.get(regionId);
    return peer?.isInitialised === true ? peer : undefined;
  }

  allInitialised(): Peer[] {
    return [...this.#peers.values()].filter(isInitialised);
  }

  /** Peers that wait for their first snapshot. */
  get emptyCount(): number {
    return this.size - this.allInitialised().length;
  }

  /** Hears of every peer that is added. */
  onAdded: (peer: Peer) => void = () => {};

  /** A peer has its first range, or another one. */
  rangesChanged(): void {
    this.#byStartKey = undefined;
  }

  add(peer: Peer): void {
    assert(this.holder(peer.regionId) === undefined, "a Store has one peer of a Region at most");
    this.#peers.set(peer.regionId, peer);
    if (this.#byStartKey !== undefined && peer.isInitialised) {
      // In its place at once: thousands that are made one after the other must not be sorted for each.
      this.#byStartKey.splice(countUpTo(this.#byStartKey, peer.region.startKey), 0, peer);
    }
    this.onAdded(peer);
  }

  /** The peer, running or halted, is gone: what it had is nobody's. */
  remove(regionId: RegionId): void {
    this.#peers.delete(regionId);
    this.#halted.delete(regionId);
    this.#byStartKey = undefined;
  }

  /** The peer runs no more, and keeps what it has. */
  halt(peer: Peer): void {
    this.remove(peer.regionId);
    this.#halted.set(peer.regionId, peer);
  }

  /** A start of the Store could not read the peer: it has its place as one that halted. */
  addUnreadable(peer: UnreadablePeer): void {
    assert(this.holder(peer.regionId) === undefined, "a Store has one peer of a Region at most");
    this.#halted.set(peer.regionId, peer);
  }

  values(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  ofKey(key: Uint8Array): Peer | undefined {
    const sorted = this.#sorted();
    const candidate = sorted[countUpTo(sorted, key) - 1];
    return candidate !== undefined && keyInRange(key, candidate.region) ? candidate : undefined;
  }

  /** A Region here, or one whose snapshot comes in or is being installed, that shares keys with the range; other than `except`. */
  overlapping(range: KeyRange, ...except: readonly RegionId[]): Region | undefined {
    const overlaps = (region: Region): boolean => !except.includes(region.id) && rangesOverlap(region, range);
    return this.#servedIn(range).find(overlaps) ?? this.#otherClaims().find(overlaps);
  }

  /** Of the running peers' Regions those that could share keys with the range: few, however many there are. */
  #servedIn(range: KeyRange): Region[] {
    const sorted = this.#sorted();
    const regions: Region[] = [];
    for (let at = Math.max(0, countUpTo(sorted, range.startKey) - 1); at < sorted.length; at++) {
      const { region } = sorted[at] as Peer;
      if (range.endKey.length > 0 && compareKeys(region.startKey, range.endKey) >= 0) {
        break;
      }
      regions.push(region);
    }
    return regions;
  }

  /** What is claimed beside what running peers serve: by halted ones, and by snapshots. */
  #otherClaims(): Region[] {
    const claims = [...this.#halted.values()].flatMap((peer) => peer.claims);
    for (const { arriving } of this.#peers.values()) {
      if (arriving !== undefined) {
        claims.push(arriving);
      }
    }
    return [...claims, ...this.#reserved.values()];
  }

  /** What others than the Region's peer have rows of. */
  claimedByOthers(regionId: RegionId): Region[] {
    return this.#claimed().filter(({ id }) => id !== regionId);
  }

  /**
   * Counts the range as the Region's, beside the one that it has, until the function that is returned is called.
   * Undefined: it is kept already.
   */
  reserve(region: Region): (() => void) | undefined {
    if (this.#reserved.has(region.id)) {
      return undefined;
    }
    this.#reserved.set(region.id, region);
    return () => void this.#reserved.delete(region.id);
  }

  /**
   * Regions here that took over what the Region lost since it had the version: those that follow it without a gap and
   * are newer than that. They are few after a split, and guesses at worst: whoever is asked checks again.
   */
  siblings(region: Region, version: number): Region[] {
    const siblings: Region[] = [];
    for (let last = region; siblings.length < SIBLINGS_MAX_COUNT && last.endKey.length > 0; ) {
      const next = this.ofKey(last.endKey)?.region;
      if (
        next === undefined ||
        next.epoch.version <= version ||
        compareKeys(next.startKey, last.endKey) !== 0
      ) {
        return siblings;
      }
      siblings.push(next);
      last = next;
    }
    return siblings;
  }

  #claimed(): Region[] {
    return [...this.#peers.values(), ...this.#halted.values()].flatMap((peer) => peer.claims);
  }

  #sorted(): Peer[] {
    this.#byStartKey ??= [...this.#peers.values()]
      .filter(isInitialised)
      .toSorted((a, b) => compareKeys(a.region.startKey, b.region.startKey));
    return this.#byStartKey;
  }
}

/** How many of the peers, which are sorted, begin at or before the key. */
function countUpTo(sorted: readonly Peer[], key: Uint8Array): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys((sorted[middle] as Peer).region.startKey, key) <= 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function isInitialised(peer: Peer): boolean {
  return peer.isInitialised;
}
