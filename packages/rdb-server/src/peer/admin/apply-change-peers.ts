import { type Index, type Peer, type Region, type StoreId, assert, peerOnStore } from "@flaredb/rdb-base";
import { type ChangePeersCommand, peerFromProto } from "@flaredb/rdb-proto";
import { type RawNode, newMessage } from "@flaredb/rdb-raft";
import { type RaftLogStore, type WritePart, putRegionLocalState } from "@flaredb/rdb-storage";
import type { PeerMessage } from "../../store/peer-message.ts";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";

/** What a conf change is applied to. */
export interface ApplyChangePeersOwner {
  readonly storeId: StoreId;
  readonly self: Peer;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  /** The Region has other peers from now on. */
  peersChanged(region: Region): void;
  /**
   * This peer is none of them: it takes part in nothing any more, and its data goes.
   *
   * @param farewells what it has to say as the leader that it was
   */
  removed(region: Region, farewells: readonly PeerMessage[]): void;
}

/**
 * Applies a conf change: the core's configuration, the Region's peers and its conf_ver in one part. A change whose
 * conf_ver is not the Region's changes nothing, and the core does not hear of it.
 */
export function applyChangePeers(
  owner: ApplyChangePeersOwner,
  { command, confChange, state }: AdminEntry,
  { peers }: ChangePeersCommand,
  part: WritePart,
): AdminEffect {
  const before = owner.region();
  if (Number(command.epochConfVer) !== before.epoch.confVer) {
    return { state };
  }
  assert(confChange !== undefined, "a change of peers is the context of a conf change");
  const after: Region = {
    ...before,
    peers: peers.map(peerFromProto),
    epoch: { ...before.epoch, confVer: before.epoch.confVer + 1 },
  };
  const farewells = farewellsTo(after.peers, owner, state.index);
  owner.log.setConfState(part, owner.node.applyConfChange(confChange));
  if (after.peers.some((peer) => peer.id === owner.self.id)) {
    putRegionLocalState(part, { state: "Normal", region: after });
    return { state, submitted: () => owner.peersChanged(after) };
  }
  assert(peerOnStore(after, owner.storeId) === undefined, "a Store has one peer of a Region at most");
  // Found by a start that comes before the data is gone: it goes on with that.
  const last = withPeer(after, owner.self);
  putRegionLocalState(part, { state: "Destroying", region: last });
  return { state, submitted: () => owner.removed(last, farewells) };
}

/** Tells those that have the entry that it is committed. Of a leader only: others' words would not count. */
function farewellsTo(
  peers: readonly Peer[],
  { self, node, region }: Pick<ApplyChangePeersOwner, "self" | "node" | "region">,
  committed: Index,
): PeerMessage[] {
  const { id: regionId, epoch } = region();
  const hasEntry = ({ id }: Peer): boolean => (node.progressOf(id)?.match ?? 0) >= committed;
  return (node.isLeader ? peers.filter(hasEntry) : []).map((toPeer) => ({
    ...{ regionId, fromPeer: self, toPeer, epoch, range: undefined },
    payload: {
      kind: "raft",
      message: newMessage({
        ...{ type: "MsgHeartbeat", from: self.id, to: toPeer.id },
        ...{ term: node.term, commit: committed },
      }),
    },
  }));
}

/** A removed peer's last Region lists the peer too: its tombstone says whose it is. */
function withPeer(region: Region, peer: Peer): Region {
  return { ...region, peers: [...region.peers, peer] };
}
