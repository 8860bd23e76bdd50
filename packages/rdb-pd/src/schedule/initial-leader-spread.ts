import type { Peer, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import type { ClusterState } from "../cluster/cluster-state.ts";

/** A leadership that is to move. */
export interface LeaderMove {
  readonly region: Region;
  readonly to: Peer;
}

/**
 * Elections decide who leads an initial Region first, and may leave all leaders on one Store. Placement meant each
 * Region's first peer to lead, in turn over the Stores; so it is handed the leadership, once in a Region's life and as
 * soon as that is harmless: while the Region is as it was placed, and the peer is there, up and not behind.
 */
export class InitialLeaderSpread {
  /** Regions whose first leader was heard of and whose leadership was not moved. */
  readonly #candidates = new Set<RegionId>();

  /** The Region's first leader was heard of. */
  add(id: RegionId): void {
    this.#candidates.add(id);
  }

  /** What the Store should hand over now; each Region is named once. */
  movesFrom(storeId: StoreId, cluster: ClusterState, monotonicMs: number): LeaderMove[] {
    const moves: LeaderMove[] = [];
    for (const id of this.#candidates) {
      const info = cluster.region(id);
      const to = info?.region.peers[0];
      if (
        info === undefined ||
        to === undefined ||
        info.region.epoch.version > 1 ||
        info.region.epoch.confVer > 1
      ) {
        this.#candidates.delete(id);
        continue;
      }
      const { region, status } = info;
      if (status?.leader?.storeId !== storeId) {
        continue;
      }
      const isLaggard = status.downPeerIds.includes(to.id) || status.pendingPeerIds.includes(to.id);
      const isThere = cluster.activity(to.storeId).report(id)?.peerId === to.id;
      if (status.leader.id === to.id) {
        this.#candidates.delete(id);
      } else if (isThere && !isLaggard && cluster.liveness.state(to.storeId, monotonicMs) === "Up") {
        this.#candidates.delete(id);
        moves.push({ region, to });
      }
    }
    return moves;
  }
}
