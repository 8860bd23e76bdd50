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

/** The peers of a Store: by Region, and by key. Ranges of one Store's Regions never overlap. */
export class RegionMap {
  readonly #peers = new Map<RegionId, Peer>();
  /** By start key, ascending; made anew when a Region came, went or changed its range. */
  #byStartKey: Peer[] | undefined;

  get size(): number {
    return this.#peers.size;
  }

  get(regionId: RegionId): Peer | undefined {
    return this.#peers.get(regionId);
  }

  add(peer: Peer): void {
    assert(!this.#peers.has(peer.regionId), "a Store has one peer of a Region at most");
    this.#peers.set(peer.regionId, peer);
    this.#byStartKey = undefined;
  }

  remove(regionId: RegionId): void {
    this.#peers.delete(regionId);
    this.#byStartKey = undefined;
  }

  values(): IterableIterator<Peer> {
    return this.#peers.values();
  }

  ofKey(key: Uint8Array): Peer | undefined {
    const sorted = this.#sorted();
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
    const candidate = sorted[low - 1];
    return candidate !== undefined && keyInRange(key, candidate.region) ? candidate : undefined;
  }

  /** A Region here, other than `except`, that shares keys with the range. */
  overlapping(range: KeyRange, except: RegionId): Region | undefined {
    for (const peer of this.#peers.values()) {
      if (peer.regionId !== except && rangesOverlap(peer.region, range)) {
        return peer.region;
      }
    }
    return undefined;
  }

  #sorted(): Peer[] {
    this.#byStartKey ??= [...this.#peers.values()].toSorted((a, b) =>
      compareKeys(a.region.startKey, b.region.startKey),
    );
    return this.#byStartKey;
  }
}
