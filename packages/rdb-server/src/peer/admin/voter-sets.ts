import type { Peer } from "@flaredb/rdb-base";

/** Whether a peer counts in some quorum. */
export function votes(peer: Peer): boolean {
  return peer.role !== "Learner";
}

/** Whether a peer votes in the configuration that a joint one leads to, or in the simple one. */
export function votesAfter(peer: Peer): boolean {
  return peer.role === "Voter" || peer.role === "IncomingVoter";
}

/** Whether the peers form a joint configuration, which has to be left before anything else changes. */
export function isJoint(peers: readonly Peer[]): boolean {
  return peers.some((peer) => peer.role === "IncomingVoter" || peer.role === "DemotingVoter");
}

/** Whether more than half of the voters are good; in a joint configuration, of both its halves (Raft thesis §4.3). */
export function hasQuorum(peers: readonly Peer[], isGood: (peer: Peer) => boolean): boolean {
  const before = peers.filter((peer) => peer.role === "Voter" || peer.role === "DemotingVoter");
  return [before, peers.filter(votesAfter)].every(
    (voters) => voters.length === 0 || voters.filter(isGood).length * 2 > voters.length,
  );
}
