import {
  type Clock,
  type Peer,
  RdbError,
  type RegionId,
  type StoreId,
  peerId as peerIdOf,
  type PeerId,
} from "@flaredb/rdb-base";
import { type LogCommandCase, type RegionHeartbeatResponse, logCommandVersions } from "@flaredb/rdb-proto";
import type { ClusterLookup } from "../cluster/cluster-lookup.ts";
import type { ClusterState, StoreCondition } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { CoordinatorRunner } from "../coordinator/coordinator-runner.ts";
import type { CommandLog } from "../member/command-log.ts";
import type { StoreInfo } from "../cluster/store-info.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import type { OperatorRunner } from "../operator/operator-runner.ts";
import type { OperatorPlan } from "../placement/operator-plan.ts";
import type { PlacementSettings } from "../placement/placement-settings.ts";

/** What commands of people are checked against and carried out with. */
export interface AdminSceneOptions {
  readonly cluster: ClusterState;
  readonly lookup: ClusterLookup;
  readonly operators: OperatorRunner;
  readonly settings: PlacementSettings;
  readonly coordination: CoordinatorRunner;
  readonly log: CommandLog;
  readonly clock: Clock;
  /** Whether the Store's stream took the command. */
  readonly send: (storeId: StoreId, command: RegionHeartbeatResponse) => boolean;
}

/** The cluster as commands of people see it: what they name must be there, and able to do what they want. */
export class AdminScene {
  readonly #options: AdminSceneOptions;

  constructor(options: AdminSceneOptions) {
    this.#options = options;
  }

  /** @throws RdbError RDB_NOT_FOUND; RDB_CLUSTER_NOT_BOOTSTRAPPED */
  region(id: RegionId): RegionInfo {
    return this.#options.lookup.regionById(id);
  }

  /** A Region that can be changed: somebody leads it, and it is not between two sets of peers. */
  changeableRegion(id: RegionId): RegionInfo {
    const info = this.region(id);
    if (info.status?.leader === undefined) {
      throw busy(`region ${id} has no leader that the placement driver knows of: ask again`);
    }
    const isJoint = info.region.peers.some(
      ({ role }) => role === "IncomingVoter" || role === "DemotingVoter",
    );
    if (isJoint || info.status.isMerging) {
      throw busy(`region ${id} is ${isJoint ? "between two sets of peers" : "being merged"}: ask again`);
    }
    return info;
  }

  /**
   * Whether every peer knows the entry of a Region's log that `what` needs.
   *
   * @throws RdbError RDB_CLUSTER_VERSION
   */
  checkClusterVersion(entry: LogCommandCase, what: string): void {
    const { clusterVersion } = this.#options.cluster.durable;
    const needed = logCommandVersions[entry];
    if (clusterVersion < needed) {
      throw new RdbError(
        "RDB_CLUSTER_VERSION",
        `${what} needs cluster version ${needed}, the cluster has ${clusterVersion}: finish the upgrade, rdb cluster status says who is older`,
        { details: { needed, clusterVersion } },
      );
    }
  }

  /** @throws RdbError RDB_NOT_FOUND when it is not known or gone for good */
  store(id: StoreId): StoreInfo {
    const store = this.#options.cluster.durable.stores.get(id);
    if (store === undefined || store.isTombstone) {
      const why = store === undefined ? "is not known" : "is gone for good";
      throw new RdbError("RDB_NOT_FOUND", `store ${id} ${why}`, { details: { storeId: id } });
    }
    return store;
  }

  condition(id: StoreId): StoreCondition {
    const { cluster, clock } = this.#options;
    return cluster.condition(this.store(id), clock.monotonicMs());
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT when the Store cannot take part in anything now */
  checkUp(id: StoreId): void {
    const condition = this.condition(id);
    if (condition !== "Up") {
      throw refused(`store ${id} is ${condition.toLowerCase()}`);
    }
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT when the Store can take no peer */
  checkTakesPeers(id: StoreId): void {
    this.checkUp(id);
    if (this.store(id).isDraining) {
      throw refused(`store ${id} is being decommissioned`);
    }
    const stats = this.#options.cluster.activity(id).stats;
    const usedPercent =
      stats === undefined || stats.capacityBytes === 0n
        ? 0
        : 100 - (100 * Number(stats.availableBytes)) / Number(stats.capacityBytes);
    const { lowSpacePercent } = this.#options.settings.current;
    if (stats?.isFull === true || usedPercent >= lowSpacePercent) {
      throw refused(
        `store ${id} is full: its disk is used to ${usedPercent.toFixed(1)} %, lowSpacePercent is ${lowSpacePercent}`,
      );
    }
  }

  /** Whether the peer's vote can be counted on now. */
  isLive(peer: Peer, { status }: RegionInfo): boolean {
    const { cluster, clock } = this.#options;
    return (
      status?.downPeerIds.includes(peer.id) !== true &&
      cluster.liveness.state(peer.storeId, clock.monotonicMs()) === "Up"
    );
  }

  /**
   * @param voters after the change
   * @throws RdbError RDB_INVALID_ARGUMENT when the change would leave fewer live voters than a quorum
   */
  checkQuorum(info: RegionInfo, what: string, voters: readonly Peer[], newVoterCount = 0): void {
    const count = voters.length + newVoterCount;
    const quorum = Math.floor(count / 2) + 1;
    const live = voters.filter((peer) => this.isLive(peer, info)).length + newVoterCount;
    if (count === 0 || live < quorum) {
      throw refused(
        `${what} would leave region ${info.region.id} without a quorum: ${live} of ${count} voters would be live, ${quorum} are needed`,
      );
    }
  }

  /** What PD does about a Region of so many peers by itself: the end of a motive, for people. */
  caveat(peerCount: number): string {
    const { replicas } = this.#options.settings.current;
    if (peerCount === replicas) {
      return "";
    }
    const [are, does] = peerCount > replicas ? ["more", "removes one again"] : ["fewer", "adds one again"];
    return `; ${peerCount} peers are ${are} than replicas ${replicas}: the replica checker ${does}, unless replicas is set to ${peerCount} (rdb scheduler config replicas=${peerCount})`;
  }

  /** Who can lead in the peer's place: up, caught up, and allowed to, if there is one; the first that can, otherwise. */
  heirOf(leaving: Peer, info: RegionInfo): Peer | undefined {
    const able = info.region.peers.filter(
      (peer) =>
        peer.id !== leaving.id &&
        peer.role === "Voter" &&
        this.isLive(peer, info) &&
        info.status?.pendingPeerIds.includes(peer.id) !== true,
    );
    return able.find(({ storeId }) => !this.store(storeId).evictsLeaders) ?? able[0];
  }

  /** @throws RdbError RDB_SERVER_IS_BUSY while none is at hand */
  newPeerId(): PeerId {
    const id = this.#options.operators.ids.take();
    if (id === undefined) {
      throw noIds();
    }
    return peerIdOf(id);
  }

  /** Whether a decision of checkers and schedulers about a Region finds as many ids as it takes; waits for them. */
  async hasIds(): Promise<boolean> {
    const { ids } = this.#options.operators;
    if (ids.count < pdLimits.decisionMinIdCount) {
      await ids.fill();
    }
    return ids.count >= pdLimits.decisionMinIdCount;
  }

  /**
   * @throws RdbError RDB_SERVER_IS_BUSY when another operator has the Region; RDB_EPOCH_NOT_MATCH when the Region
   * changed just now; RDB_NOT_FOUND when it is no more
   */
  begin(plan: OperatorPlan): OperatorRecord {
    const { operators } = this.#options;
    const result = operators.controller.add(plan, operators.now());
    if (result.ok) {
      return result.operator;
    }
    const { reason, message } = result.refusal;
    const details = { regionId: plan.regionId };
    switch (reason) {
      case "region-gone":
        throw new RdbError("RDB_NOT_FOUND", message, { details });
      case "epoch-changed":
        throw new RdbError("RDB_EPOCH_NOT_MATCH", message, { details });
      default:
        throw new RdbError("RDB_SERVER_IS_BUSY", message, { details });
    }
  }
}

export function refused(message: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", message);
}

export function busy(message: string): RdbError {
  return new RdbError("RDB_SERVER_IS_BUSY", message);
}

/** Of what needs ids while PD's log gives none. */
export function noIds(): RdbError {
  return busy("the placement driver is just fetching ids: ask again");
}
