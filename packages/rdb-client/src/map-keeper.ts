import { type Peer, type RegionId, type StoreId, peerOnStore, storeId } from "@flaredb/rdb-base";
import type { RegionRoute, Store } from "@flaredb/rdb-proto";
import type { RegionCache } from "./region-cache.ts";
import { type RegionAdvice, readRoute } from "./region-error.ts";
import type { StorePool } from "./store-pool.ts";

type LeaderAdvice = RegionAdvice & { readonly kind: "notLeader" };
type RegionsAdvice = RegionAdvice & { readonly kind: "newRegions" };

/** Takes over what Stores and the placement driver say of the map: Regions, their leaders, the Stores' addresses. */
export class MapKeeper {
  readonly #cache: RegionCache;
  readonly #pool: StorePool;
  readonly #onNews: () => void;

  /** @param onNews something that a waiting call may wait for is known now */
  constructor(cache: RegionCache, pool: StorePool, onNews: () => void) {
    this.#cache = cache;
    this.#pool = pool;
    this.#onNews = onNews;
  }

  learnStore(store: { readonly id: bigint; readonly address: string }): void {
    this.#pool.learn(storeId(store.id), store.address);
  }

  /** What the placement driver says of a Region, and of the Stores of its peers. */
  learnRoute(wire: RegionRoute | undefined, stores: readonly Store[]): void {
    for (const store of stores) {
      this.learnStore(store);
    }
    const route = readRoute(wire);
    if (route === undefined) {
      return;
    }
    const { region } = route;
    let isNews = this.#cache.insert(region);
    const leader = this.#cache.byId(region.id)?.leader;
    // What a Store said is younger than what the placement driver heard, unless that Store is gone.
    if (route.leader !== undefined && (leader === undefined || !this.#pool.canTry(leader.storeId))) {
      isNews = this.#cache.setLeader(region.id, route.leader) || isNews;
    }
    if (isNews) {
      this.#onNews();
    }
  }

  /** A peer has served as the leader. */
  learnLeader(id: RegionId, leader: Peer | undefined): void {
    if (leader !== undefined && this.#cache.setLeader(id, leader)) {
      this.#onNews();
    }
  }

  /**
   * A peer said that it does not lead, and perhaps who does.
   *
   * @returns what came of the hint: it can be followed; there is none, or none that can be followed (its Store is
   *   gone, or was tried already); or it names a peer that the map does not have
   */
  takeHint(
    id: RegionId,
    by: StoreId,
    advice: LeaderAdvice,
    tried: readonly StoreId[],
  ): "follow" | "useless" | "unknown peer" {
    const { leader, leaderAddress } = advice;
    const entry = this.#cache.byId(id);
    if (entry?.leader?.storeId === by) {
      this.#cache.setLeader(id, undefined);
    }
    if (leader === undefined || leader.storeId === by || tried.includes(leader.storeId)) {
      return "useless";
    }
    if (entry === undefined || !entry.region.peers.some((peer) => peer.id === leader.id)) {
      return "unknown peer";
    }
    if (!this.#pool.canTry(leader.storeId)) {
      this.#pool.learn(leader.storeId, leaderAddress);
      if (!this.#pool.canTry(leader.storeId)) {
        return "useless";
      }
    }
    this.learnLeader(id, leader);
    return "follow";
  }

  /** A Store named Regions that are newer than what it was asked with. */
  takeRegions(by: StoreId, advice: RegionsAdvice): void {
    let isNews = false;
    for (const region of advice.regions) {
      const known = this.#cache.byId(region.id)?.leader;
      // The peer that led before a split leads both Regions after it.
      isNews = this.#cache.insert(region, known ?? peerOnStore(region, by)) || isNews;
    }
    if (isNews) {
      this.#onNews();
    }
  }
}
