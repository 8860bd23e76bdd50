import type { Peer, Region, StoreId } from "@flaredb/rdb-base";
import { assert, peerOnStore } from "@flaredb/rdb-base";
import { type ChangePeersCommand, peerFromProto } from "@flaredb/rdb-proto";
import type { RawNode } from "@flaredb/rdb-raft";
import { type RaftLogStore, type WritePart, putRegionLocalState } from "@flaredb/rdb-storage";
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
  /** This peer is none of them: it takes part in nothing any more, and its data goes. */
  removed(region: Region): void;
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
  owner.log.setConfState(part, owner.node.applyConfChange(confChange));
  if (after.peers.some((peer) => peer.id === owner.self.id)) {
    putRegionLocalState(part, { state: "Normal", region: after });
    return { state, submitted: () => owner.peersChanged(after) };
  }
  assert(peerOnStore(after, owner.storeId) === undefined, "a Store has one peer of a Region at most");
  // Found by a start that comes before the data is gone: it goes on with that.
  const last = withPeer(after, owner.self);
  putRegionLocalState(part, { state: "Destroying", region: last });
  return { state, submitted: () => owner.removed(last) };
}

/** A removed peer's last Region lists the peer too: its tombstone says whose it is. */
export function withPeer(region: Region, peer: Peer): Region {
  return { ...region, peers: [...region.peers, peer] };
}
