import { type Region, type RegionId, type StoreId, peerById } from "@flaredb/rdb-base";
import { PickSet } from "./pick-set.ts";
import { NO_LOAD, type RegionLoad, type RegionStatus } from "./region-info.ts";

/** What one Store has of Regions. Sums follow every change, so that nobody has to walk the Regions. */
export class StoreRegions {
  /** Regions with their leader on it, */
  readonly led = new PickSet<RegionId>();
  /** and those with another peer on it. */
  readonly followed = new PickSet<RegionId>();
  /** Approximate bytes of all of them. */
  sizeBytes = 0;
  /** Peers on it that lag, as leaders report. */
  pendingPeerCount = 0;
  /** Sums over the Regions that it leads. */
  readonly load: { -readonly [Part in keyof RegionLoad]: number } = { ...NO_LOAD };

  get regionCount(): number {
    return this.led.size + this.followed.size;
  }
}

const NO_REGIONS = new StoreRegions();

/**
 * Which Regions each Store has. Follows two things: where Regions are and what their leaders say of them; what it was
 * told of a Region it has to be told back when that changes.
 */
export class RegionIndex {
  readonly #stores = new Map<StoreId, StoreRegions>();

  of(id: StoreId): StoreRegions {
    return this.#stores.get(id) ?? NO_REGIONS;
  }

  all(): Iterable<readonly [StoreId, StoreRegions]> {
    return this.#stores;
  }

  add(region: Region, status: RegionStatus | undefined): void {
    this.#count(region, status, 1);
    const leaderStoreId = leaderOf(region, status);
    for (const { storeId } of region.peers) {
      const store = this.#store(storeId);
      (storeId === leaderStoreId ? store.led : store.followed).add(region.id);
    }
  }

  remove(region: Region, status: RegionStatus | undefined): void {
    this.#count(region, status, -1);
    for (const { storeId } of region.peers) {
      const store = this.#store(storeId);
      store.led.delete(region.id);
      store.followed.delete(region.id);
    }
  }

  /** The leader said something else of a Region that is where it was. */
  update(region: Region, before: RegionStatus | undefined, after: RegionStatus | undefined): void {
    if (leaderOf(region, before) === leaderOf(region, after)) {
      this.#count(region, before, -1);
      this.#count(region, after, 1);
    } else {
      this.remove(region, before);
      this.add(region, after);
    }
  }

  #count(region: Region, status: RegionStatus | undefined, sign: 1 | -1): void {
    const leaderStoreId = leaderOf(region, status);
    const sizeBytes = sign * (status?.approximateSizeBytes ?? 0);
    for (const peer of region.peers) {
      const store = this.#store(peer.storeId);
      store.sizeBytes += sizeBytes;
      if (status?.pendingPeerIds.includes(peer.id) === true) {
        store.pendingPeerCount += sign;
      }
    }
    if (leaderStoreId !== undefined && status !== undefined) {
      const { load } = this.#store(leaderStoreId);
      load.writtenBytesPerSecond += sign * status.load.writtenBytesPerSecond;
      load.writtenKeysPerSecond += sign * status.load.writtenKeysPerSecond;
      load.readBytesPerSecond += sign * status.load.readBytesPerSecond;
      load.readKeysPerSecond += sign * status.load.readKeysPerSecond;
    }
  }

  #store(id: StoreId): StoreRegions {
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = new StoreRegions();
      this.#stores.set(id, store);
    }
    return store;
  }
}

/** The Store of the leader, if that is a peer of the Region as it is known now. */
function leaderOf(region: Region, status: RegionStatus | undefined): StoreId | undefined {
  return status?.leader === undefined ? undefined : peerById(region, status.leader.id)?.storeId;
}
