import type { PeerId, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import type { StoreStats } from "@flaredb/rdb-proto";
import type { RegionInfo, RegionLoad } from "../cluster/region-info.ts";
import type { PlacementConfig } from "./placement-config.ts";

/** A Store as checkers and schedulers weigh it. Counts include what running operators will make of them. */
export interface PlacementStore {
  readonly id: StoreId;
  /** Up: takes part. Disconnected: silent, may be back soon. Down: silent for `maxStoreDownTime`, its peers are replaced. */
  readonly condition: "Up" | "Disconnected" | "Down";
  /** It is to be emptied (decommissioned). */
  readonly isDraining: boolean;
  /** It must not lead. */
  readonly evictsLeaders: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined until it reported since PD's start. */
  readonly stats: StoreStats | undefined;
  /** As reported, before running operators. */
  readonly regionCount: number;
  readonly leaderCount: number;
  readonly regionSizeBytes: number;
  /** What running operators will add; negative for what they take. */
  readonly plannedRegionCount: number;
  readonly plannedLeaderCount: number;
  readonly plannedSizeBytes: number;
  /** Peers that it is being sent or catching up on, as leaders report. */
  readonly pendingPeerCount: number;
  /** Whether its limit lets it take, or give, one more peer now. */
  readonly canAddPeer: boolean;
  readonly canRemovePeer: boolean;
  /** Sums over the Regions that it leads. */
  readonly load: RegionLoad;
}

/**
 * What decisions are made from: the cluster as it is now, read only, and pure. Everything that a checker or scheduler
 * may look at is here; time is handed in by it.
 */
export interface PlacementView {
  /** Monotonic. */
  readonly nowMs: number;
  readonly config: PlacementConfig;
  /** Present Stores (no tombstones), by id. */
  stores(): readonly PlacementStore[];
  store(id: StoreId): PlacementStore | undefined;
  region(id: RegionId): RegionInfo | undefined;
  /** The neighbours by key, if they touch. */
  neighbours(region: Region): {
    readonly left: RegionInfo | undefined;
    readonly right: RegionInfo | undefined;
  };
  /** Regions with their leader on the Store. In no order. Not to be kept. */
  regionsLedBy(id: StoreId): Iterable<RegionInfo>;
  /** One of them by chance, or the first of so many draws that `fits`. */
  pickRegionOn(
    id: StoreId,
    role: "leader" | "follower" | "any",
    draws: number,
    fits: (info: RegionInfo) => boolean,
  ): RegionInfo | undefined;
  /** Whether an operator runs or waits for the Region: at most one at a time. */
  hasOperator(id: RegionId): boolean;
  /** Wanted peers of a Region. */
  readonly replicaCount: number;
  /** A fresh id for a peer that an operator adds. */
  newPeerId(): PeerId;
  /** Whole number in [0, bound). */
  random(bound: number): number;
}
