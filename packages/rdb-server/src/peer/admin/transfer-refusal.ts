import type { Peer, PeerId, Region, RegionEpoch } from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import { type AdminRefusal, adminRefusal, targetRefusal } from "./admin-refusal.ts";
import { votesAfter } from "./voter-sets.ts";

/** What a leadership is handed over by. */
export interface TransferOwner {
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  isMerging(): boolean;
  /** Whether the peer's Store is heard of, and the peer has not halted. */
  isAlive(peer: Peer): boolean;
}

/** A successor that lacks more entries than this would leave the Region without a leader while it catches up. */
const SUCCESSOR_MAX_LAG_COUNT = 10_000;

/** Why PD's command to hand a Region's leadership to a peer is not obeyed, if so. */
export function transferRefusal(
  owner: TransferOwner,
  command: { readonly epoch: RegionEpoch; readonly toPeerId: PeerId },
): AdminRefusal | undefined {
  const { node, log } = owner;
  const { id, peers } = owner.region();
  const refusal = targetRefusal(owner, { regionId: id, epoch: command.epoch });
  if (refusal !== undefined) {
    return refusal;
  }
  const peer = peers.find((candidate) => candidate.id === command.toPeerId);
  if (peer === undefined || !votesAfter(peer)) {
    const problem =
      peer === undefined ? `has no peer ${command.toPeerId}` : `peer ${peer.id} is a ${peer.role}`;
    return adminRefusal("Invalid", `Region ${id}: ${problem}; only a voter can lead`);
  }
  if (peer.id === node.id) {
    return undefined;
  }
  const { match = 0, state } = node.progressOf(peer.id) ?? {};
  const isBehind = match < log.firstIndex() - 1 || node.lastIndex - match > SUCCESSOR_MAX_LAG_COUNT;
  return !owner.isAlive(peer) || state === "StateSnapshot" || isBehind
    ? adminRefusal(
        "PeerBehind",
        `peer ${peer.id} of Region ${id} is down, or has entry ${match} of ${node.lastIndex}`,
      )
    : undefined;
}
