import type { Peer, PeerId, Region } from "@flaredb/rdb-base";
import { peerToProto } from "@flaredb/rdb-proto";
import type { RawNode } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { AdminOutcome, ChangePeers } from "../../store/admin-command.ts";
import type { CommandBody } from "../commands.ts";
import type { ConfChanges } from "../write-path.ts";
import { type AdminRefusal, adminRefusal, targetRefusal } from "./admin-refusal.ts";
import { planPeerChanges } from "./peer-changes.ts";
import { hasQuorum, votes, votesAfter } from "./voter-sets.ts";

/** What a conf change is proposed by. */
export interface ChangePeersOwner {
  readonly peerId: PeerId;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  isMerging(): boolean;
  /** Whether the peer's Store is heard of, and the peer has not halted. */
  isAlive(peer: Peer): boolean;
  /** It has led for less than an election timeout: it may not have heard of everybody yet. */
  isNewLeader(): boolean;
  /** @returns whether it is in the log now */
  propose(body: CommandBody, changes: ConfChanges): boolean;
}

/** A learner that lacks more entries than this is not promoted: its vote would hold up what it cannot commit yet. */
const PROMOTE_MAX_LAG_COUNT = 1_000;

/**
 * Proposes a conf change of the Region, after everything that can be known before: that it fits the Region, spares
 * the leader, and leaves quorums that live and need nothing that the log has not (SPEC C1).
 */
export function proposeChangePeers(owner: ChangePeersOwner, command: ChangePeers): AdminOutcome {
  const { node } = owner;
  const region = owner.region();
  const refusal = targetRefusal(owner, command);
  if (refusal !== undefined) {
    return refusal;
  }
  const planned = planPeerChanges(region.peers, command.changes);
  if (!planned.ok) {
    return adminRefusal("Invalid", `the peers of Region ${region.id} cannot change so: ${planned.problem}`);
  }
  const { peers, conf } = planned;
  const self = peers.find((peer) => peer.id === owner.peerId);
  if (self === undefined || !votesAfter(self)) {
    return adminRefusal(
      "IsLeader",
      `peer ${owner.peerId} leads Region ${region.id}: hand its leadership over first`,
    );
  }
  const behind = promoted(region.peers, peers).find((peer) => !isClose(owner, peer));
  if (behind !== undefined) {
    const { match = 0 } = node.progressOf(behind.id) ?? {};
    return adminRefusal(
      "PeerBehind",
      `peer ${behind.id} has entry ${match} of ${node.lastIndex}: it is too far behind to vote`,
    );
  }
  if (!hasQuorum(peers, (peer) => isFit(owner, peer))) {
    return quorumRefusal(
      owner,
      peers.filter((peer) => votes(peer) && !isFit(owner, peer)),
    );
  }
  return propose(owner, peers, conf);
}

function quorumRefusal(owner: ChangePeersOwner, unfit: readonly Peer[]): AdminRefusal {
  const ids = unfit.map((peer) => peer.id).join(", ");
  const isUnheard = unfit.every((peer) => (owner.node.progressOf(peer.id)?.match ?? 0) === 0);
  return isUnheard && owner.isNewLeader()
    ? adminRefusal("Busy", `the leader is new and has not heard of ${ids} yet`)
    : adminRefusal("QuorumAtRisk", `too few voters would be left: ${ids} are down or behind`);
}

function propose(owner: ChangePeersOwner, peers: readonly Peer[], conf: ConfChanges): AdminOutcome {
  const simulated = owner.node.simulateConfChange({ version: 2, ...conf, context: new Uint8Array(0) });
  if (!simulated.ok) {
    return adminRefusal("Invalid", `the configuration cannot change so: ${simulated.reason}`);
  }
  const body: CommandBody = {
    case: "changePeers",
    value: { $typeName: "rdb.v1.ChangePeersCommand", peers: peers.map(peerToProto) },
  };
  return owner.propose(body, conf) ? { ok: true } : adminRefusal("Busy", "the leader takes no proposals now");
}

/** Peers that do not vote yet, and will. */
function promoted(before: readonly Peer[], after: readonly Peer[]): Peer[] {
  const voters = new Set(before.filter(votes).map((peer) => peer.id));
  return after.filter((peer) => votesAfter(peer) && !voters.has(peer.id));
}

/** Whether a peer has nearly everything, and is not being sent a snapshot. */
function isClose(owner: ChangePeersOwner, peer: Peer): boolean {
  const progress = owner.node.progressOf(peer.id);
  return (
    progress !== undefined &&
    progress.state !== "StateSnapshot" &&
    isFit(owner, peer) &&
    owner.node.lastIndex - progress.match <= PROMOTE_MAX_LAG_COUNT
  );
}

/** Whether a voter can be counted on: it lives, and the log has what it lacks. */
function isFit(owner: ChangePeersOwner, peer: Peer): boolean {
  if (peer.id === owner.peerId) {
    return true;
  }
  const match = owner.node.progressOf(peer.id)?.match ?? 0;
  return owner.isAlive(peer) && match >= owner.log.firstIndex() - 1;
}
