import { RdbError, type StoreId } from "@flaredb/rdb-base";
import type { FullStoreView } from "../cluster/cluster-lookup.ts";
import type { StoreWish } from "../command/command.ts";
import { pdLimits } from "../limits.ts";
import { type OwnStoreLimits, storeLimitSettings } from "../placement/store-limits.ts";
import { type AdminScene, type AdminSceneOptions, refused } from "./admin-scene.ts";

/** People's commands about Stores; what they want is durable, and the checkers and schedulers see to it. */
export class StoreCommands {
  readonly #scene: AdminScene;
  readonly #options: AdminSceneOptions;

  constructor(scene: AdminScene, options: AdminSceneOptions) {
    this.#scene = scene;
    this.#options = options;
  }

  /**
   * The Store's peers are to go to others; once they have, it is gone for good.
   *
   * @throws RdbError RDB_ALREADY_EXISTS when that is under way; RDB_INVALID_ARGUMENT when those left are too few
   */
  decommission(id: StoreId): Promise<FullStoreView> {
    const store = this.#scene.store(id);
    if (store.isDraining) {
      throw new RdbError("RDB_ALREADY_EXISTS", `store ${id} is being decommissioned already`);
    }
    const { replicas } = this.#options.settings.current;
    const peerCount = this.#options.cluster.index.of(id).regionCount;
    const left = this.#staying().filter((each) => each !== id);
    if (peerCount > 0 && left.length < replicas) {
      throw refused(
        `store ${id} has ${peerCount} peers and only ${left.length} other stores could take them, ${replicas} replicas are wanted: add a store, or lower the setting replicas`,
      );
    }
    return this.#set(id, { isDraining: true, labels: {} });
  }

  /**
   * @throws RdbError RDB_INVALID_ARGUMENT when it is not being decommissioned, or was given up as lost; RDB_NOT_FOUND
   * once it is gone
   */
  cancelDecommission(id: StoreId): Promise<FullStoreView> {
    const store = this.#scene.store(id);
    if (!store.isDraining || store.isLost === true) {
      throw refused(
        `store ${id} ${store.isLost === true ? "was given up as lost" : "is not being decommissioned"}`,
      );
    }
    return this.#set(id, { isDraining: false, labels: {} });
  }

  /** @param labels checked for their lengths; an empty value takes one away */
  setLabels(id: StoreId, labels: Readonly<Record<string, string>>): Promise<FullStoreView> {
    const known = this.#scene.store(id);
    const count = Object.keys({ ...known.labels, ...known.adminLabels, ...labels }).length;
    if (count > pdLimits.labelMaxCount) {
      throw refused(`store ${id} would have had ${count} labels, labelMaxCount is ${pdLimits.labelMaxCount}`);
    }
    return this.#set(id, { labels });
  }

  /**
   * How many peers the Store takes in and gives away at a time, durably; 0: as all Stores. What is undefined stays.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT past `storeLimitMaxCount`
   */
  async setLimits(id: StoreId, wish: OwnStoreLimits): Promise<FullStoreView> {
    this.#scene.store(id);
    const most = Math.max(wish.addLimit ?? 0, wish.removeLimit ?? 0);
    if (most > pdLimits.storeLimitMaxCount) {
      throw refused(`the limit ${most} must be <= ${pdLimits.storeLimitMaxCount}`);
    }
    await this.#options.log.propose({ kind: "SetPlacement", settings: storeLimitSettings(id, wish) });
    return this.#options.lookup.storeById(id);
  }

  /** The Store hands its leaderships away and gets none; `stop` takes that back. */
  evictLeaders(id: StoreId, stop: boolean): Promise<FullStoreView> {
    this.#scene.store(id);
    return this.#set(id, { evictsLeaders: !stop, labels: {} });
  }

  /** Stores that are to stay and answer, or may be back soon. */
  #staying(): StoreId[] {
    const { cluster, clock } = this.#options;
    return [...cluster.durable.stores.values()]
      .filter((store) => !store.isTombstone && !store.isDraining)
      .filter((store) => cluster.condition(store, clock.monotonicMs()) !== "Down")
      .map(({ id }) => id);
  }

  async #set(storeId: StoreId, wish: StoreWish): Promise<FullStoreView> {
    await this.#options.log.propose({ kind: "SetStore", storeId, ...wish });
    return this.#options.lookup.storeById(storeId);
  }
}
