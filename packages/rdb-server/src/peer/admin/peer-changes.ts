import { type Peer, type PeerRole, assertNever } from "@flaredb/rdb-base";
import type { ConfChangeSingle } from "@flaredb/rdb-raft";
import type { PeerChange } from "../../store/admin-command.ts";
import type { ConfChanges } from "../write-path.ts";
import { isJoint } from "./voter-sets.ts";

/** What a change makes of a Region's peers, and of the core's configuration; or why it cannot be made. */
export type PlannedChange =
  | { readonly ok: true; readonly peers: readonly Peer[]; readonly conf: ConfChanges }
  | { readonly ok: false; readonly problem: string };

/**
 * Plans one conf change of a Region: a single change is simple; several enter a joint configuration, in which a voter
 * is demoted rather than removed, so that its data stays while it counts; none leaves it. Pure.
 */
export function planPeerChanges(peers: readonly Peer[], changes: readonly PeerChange[]): PlannedChange {
  const joint = isJoint(peers);
  if (changes.length === 0) {
    return joint
      ? { ok: true, peers: afterJoint(peers), conf: { transition: "Auto", changes: [] } }
      : refused("there is no joint configuration to leave");
  }
  if (joint) {
    return refused("the joint configuration is to be left first");
  }
  return plan(peers, changes, changes.length > 1);
}

/** The peers once the joint configuration is left. */
function afterJoint(peers: readonly Peer[]): readonly Peer[] {
  return peers.map((peer) => {
    switch (peer.role) {
      case "IncomingVoter":
        return { ...peer, role: "Voter" };
      case "DemotingVoter":
        return { ...peer, role: "Learner" };
      default:
        return peer;
    }
  });
}

function plan(peers: readonly Peer[], changes: readonly PeerChange[], enters: boolean): PlannedChange {
  let after = [...peers];
  const singles: ConfChangeSingle[] = [];
  const changed = new Set<number>();
  for (const { kind, peer } of changes) {
    if (changed.has(peer.id)) {
      return refused(`peer ${peer.id} is changed twice`);
    }
    changed.add(peer.id);
    const known = after.find((candidate) => candidate.id === peer.id);
    if (known !== undefined && known.storeId !== peer.storeId) {
      return refused(`peer ${peer.id} is on Store ${known.storeId}, not on Store ${peer.storeId}`);
    }
    const step =
      known === undefined ? add(after, { kind, peer }) : change(after, { kind, peer: known }, enters);
    if (typeof step === "string") {
      return refused(step);
    }
    after = step.peers;
    singles.push(step.single);
  }
  if (enters && !isJoint(after)) {
    // The core would be in a joint configuration that no role shows.
    return refused("several changes at once are a joint change, and none of them changes a voter");
  }
  return {
    ok: true,
    peers: after,
    conf: { transition: enters ? "JointExplicit" : "Auto", changes: singles },
  };
}

type Step = { readonly peers: Peer[]; readonly single: ConfChangeSingle } | string;

function add(peers: readonly Peer[], { kind, peer }: PeerChange): Step {
  if (kind !== "AddLearner") {
    return `the Region has no peer ${peer.id}`;
  }
  const there = peers.find((candidate) => candidate.storeId === peer.storeId);
  if (there !== undefined) {
    return `Store ${peer.storeId} has ${formatPeer(there)} of the Region already`;
  }
  return {
    peers: [...peers, { ...peer, role: "Learner" }],
    single: { type: "AddLearnerNode", nodeId: peer.id },
  };
}

/** @param enters whether the change enters a joint configuration */
function change(peers: readonly Peer[], { kind, peer }: PeerChange, enters: boolean): Step {
  switch (kind) {
    case "AddLearner":
      if (peer.role !== "Voter" || !enters) {
        return `${formatPeer(peer)} is a peer already; a voter is demoted in a joint change only`;
      }
      return { peers: withRole(peers, peer, "DemotingVoter"), single: single("AddLearnerNode", peer) };
    case "Promote":
      if (peer.role !== "Learner") {
        return `${formatPeer(peer)} is no learner that could be promoted`;
      }
      return {
        peers: withRole(peers, peer, enters ? "IncomingVoter" : "Voter"),
        single: single("AddNode", peer),
      };
    case "Remove":
      if (peer.role !== "Learner" && enters) {
        return `${formatPeer(peer)} votes: a joint change demotes it, a later one removes it`;
      }
      return {
        peers: peers.filter((candidate) => candidate.id !== peer.id),
        single: single("RemoveNode", peer),
      };
    default:
      return assertNever(kind, "change of a peer");
  }
}

function withRole(peers: readonly Peer[], { id }: Peer, role: PeerRole): Peer[] {
  return peers.map((peer) => (peer.id === id ? { ...peer, role } : peer));
}

function single(type: ConfChangeSingle["type"], { id: nodeId }: Peer): ConfChangeSingle {
  return { type, nodeId };
}

function formatPeer({ id, storeId, role }: Peer): string {
  return `peer ${id} (${role} on Store ${storeId})`;
}

function refused(problem: string): PlannedChange {
  return { ok: false, problem };
}
