import type { Peer, PeerId, Random } from "@flaredb/rdb-base";

/**
 * Draws an election timeout from [electionTicks, 2 * electionTicks). The span is cut into one slice for each voter
 * that could campaign, and each draws from the slice of its rank, so that survivors do not tie (DESIGN §4).
 *
 * @param rank place among the voters that could campaign, from 0
 * @param count how many those are, >= 1
 */
export function drawElectionTimeoutTicks(
  electionTicks: number,
  random: Random,
  { rank, count }: { readonly rank: number; readonly count: number },
): number {
  const sliceTicks = Math.max(1, Math.floor(electionTicks / count));
  const slice = Math.min(rank, count - 1) % electionTicks;
  return electionTicks + Math.min(slice * sliceTicks, electionTicks - 1) + random.nextInt(sliceTicks);
}

/**
 * A peer's place among the voters that could campaign: all but the leader last known, whose death is why one is needed.
 *
 * @param lastLeader 0 when none was known
 */
export function electionRank(
  peers: readonly Peer[],
  own: PeerId,
  lastLeader: PeerId | 0,
): { readonly rank: number; readonly count: number } {
  const voters = peers
    .filter((peer) => peer.role !== "Learner" && (peer.id !== lastLeader || peer.id === own))
    .map((peer) => peer.id)
    .toSorted((a, b) => a - b);
  return { rank: Math.max(0, voters.indexOf(own)), count: Math.max(1, voters.length) };
}
