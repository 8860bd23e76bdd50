import { type Peer, RdbError, type RegionId, type StoreId, peerOnStore } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import { type PlanHead, addPeerSteps, movePeerSteps, planFor, removePeerSteps } from "../placement/plans.ts";
import { type AdminScene, refused } from "./admin-scene.ts";

/** People's commands about a Region's peers. Each is refused at once, with a reason, or becomes an operator. */
export class PeerCommands {
  readonly #scene: AdminScene;

  constructor(scene: AdminScene) {
    this.#scene = scene;
  }

  /** @throws RdbError RDB_ALREADY_EXISTS when the Store has a peer of the Region; see `AdminScene` */
  add(region: RegionId, storeId: StoreId): OperatorRecord {
    const scene = this.#scene;
    const info = scene.changeableRegion(region);
    this.#checkNoPeer(info, storeId);
    scene.checkTakesPeers(storeId);
    const { peers } = info.region;
    if (peers.length >= pdLimits.replicaMaxCount) {
      throw refused(`region ${region} has ${peers.length} peers, the most is ${pdLimits.replicaMaxCount}`);
    }
    scene.checkQuorum(info, `a peer more, on store ${storeId},`, votersOf(info), 1);
    const motive = `a peer on store ${storeId} is wanted${scene.caveat(peers.length + 1)}`;
    return scene.begin(planFor(info, head("add-peer", motive), addPeerSteps(storeId, scene.newPeerId())));
  }

  /** @throws RdbError RDB_NOT_FOUND when the Store has no peer of the Region; see `AdminScene` */
  remove(region: RegionId, storeId: StoreId): OperatorRecord {
    const scene = this.#scene;
    const info = scene.changeableRegion(region);
    scene.store(storeId);
    const peer = this.#peerOn(info, storeId);
    const rest = votersOf(info).filter(({ id }) => id !== peer.id);
    scene.checkQuorum(info, `removing the peer on store ${storeId}`, rest);
    const heir = scene.heirOf(peer, info);
    if (info.status?.leader?.id === peer.id && heir === undefined) {
      throw refused(`peer ${peer.id} on store ${storeId} leads region ${region}, and no other voter can`);
    }
    const motive = `the peer on store ${storeId} is to go${scene.caveat(info.region.peers.length - 1)}`;
    return scene.begin(planFor(info, head("remove-peer", motive), removePeerSteps(info, peer, heir)));
  }

  /** @throws RdbError as `add` and `remove` */
  move(region: RegionId, fromStoreId: StoreId, toStoreId: StoreId): OperatorRecord {
    const scene = this.#scene;
    const info = scene.changeableRegion(region);
    scene.store(fromStoreId);
    const from = this.#peerOn(info, fromStoreId);
    this.#checkNoPeer(info, toStoreId);
    scene.checkTakesPeers(toStoreId);
    if (from.role === "Voter") {
      const rest = votersOf(info).filter(({ id }) => id !== from.id);
      scene.checkQuorum(info, `moving the peer from store ${fromStoreId} to store ${toStoreId}`, rest, 1);
    }
    const steps = movePeerSteps(info, {
      from,
      toStoreId,
      newPeerId: scene.newPeerId(),
      heir: scene.heirOf(from, info),
    });
    const motive = `the peer on store ${fromStoreId} is wanted on store ${toStoreId}`;
    return scene.begin(planFor(info, head("move-peer", motive), steps));
  }

  /** @throws RdbError RDB_ALREADY_EXISTS when the Store leads already; RDB_NOT_FOUND without a peer there */
  transferLeader(region: RegionId, toStoreId: StoreId): OperatorRecord {
    const scene = this.#scene;
    const info = scene.changeableRegion(region);
    scene.checkUp(toStoreId);
    const to = this.#peerOn(info, toStoreId);
    const fromStoreId = info.status?.leader?.storeId ?? toStoreId;
    if (fromStoreId === toStoreId) {
      throw new RdbError("RDB_ALREADY_EXISTS", `store ${toStoreId} leads region ${region} already`);
    }
    if (to.role !== "Voter") {
      throw refused(`peer ${to.id} on store ${toStoreId} does not vote: it cannot lead`);
    }
    if (!scene.isLive(to, info)) {
      throw refused(`peer ${to.id} on store ${toStoreId} is not heard of by the region's leader`);
    }
    if (scene.store(toStoreId).evictsLeaders) {
      throw refused(`store ${toStoreId} hands its leaderships away: take that back first`);
    }
    const motive = `the leader is wanted on store ${toStoreId}`;
    const step = { kind: "transfer-leader", fromStoreId, toStoreId } as const;
    return scene.begin(planFor(info, head("transfer-leader", motive), [step]));
  }

  #peerOn(info: RegionInfo, storeId: StoreId): Peer {
    const peer = peerOnStore(info.region, storeId);
    if (peer === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `region ${info.region.id} has no peer on store ${storeId}`, {
        details: { regionId: info.region.id, storeId },
      });
    }
    return peer;
  }

  #checkNoPeer(info: RegionInfo, storeId: StoreId): void {
    const peer = peerOnStore(info.region, storeId);
    if (peer !== undefined) {
      throw new RdbError(
        "RDB_ALREADY_EXISTS",
        `region ${info.region.id} has peer ${peer.id} on store ${storeId} already`,
        { details: { regionId: info.region.id, storeId } },
      );
    }
  }
}

function votersOf(info: RegionInfo): Peer[] {
  return info.region.peers.filter(({ role }) => role === "Voter");
}

/** What people want goes before everything that PD wants by itself. */
export function head(kind: string, motive: string): PlanHead {
  return { kind, origin: "admin", priority: "Urgent", motive };
}
