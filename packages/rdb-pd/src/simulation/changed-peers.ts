import { type Peer, type Region, assert, peerId, storeId } from "@flaredb/rdb-base";
import { type ChangePeers, PeerChangeKind } from "@flaredb/rdb-proto";

/** A Region after a conf change, as its leader would carry it out: several changes enter a joint configuration, none leaves it. */
export function changedPeers(region: Region, { changes }: ChangePeers): Region {
  const isJoint = changes.length > 1;
  let peers: Peer[] = changes.length === 0 ? region.peers.map(settled) : [...region.peers];
  for (const { kind, peer } of changes) {
    assert(peer !== undefined, "a change names its peer");
    const id = peerId(peer.id);
    const others = peers.filter((each) => each.id !== id);
    const isKnown = others.length < peers.length;
    const become = (role: Peer["role"]): Peer[] => [...others, { id, storeId: storeId(peer.storeId), role }];
    switch (kind) {
      case PeerChangeKind.REMOVE:
        peers = others;
        break;
      case PeerChangeKind.PROMOTE:
        peers = become(isJoint ? "IncomingVoter" : "Voter");
        break;
      default:
        peers = become(isKnown ? "DemotingVoter" : "Learner");
    }
  }
  const { confVer, version } = region.epoch;
  return { ...region, peers, epoch: { confVer: confVer + 1, version } };
}

function settled(peer: Peer): Peer {
  switch (peer.role) {
    case "IncomingVoter":
      return { ...peer, role: "Voter" };
    case "DemotingVoter":
      return { ...peer, role: "Learner" };
    default:
      return peer;
  }
}
