import type { Peer, PeerId, Random } from "@flaredb/rdb-base";

/**
 * Nobody draws the last ticks of a slice: what survivors heard last of their leader may be a heartbeat apart, and their
 * ticks are not in step. Two that campaign in the same moment refuse each other, and wait for a whole timeout more.
 */
const GAP_TICKS = 4;

/**
 * Draws an election timeout from [electionTicks, 2 * electionTicks). The span is cut into one slice for each voter
 * that could campaign, and each draws from the slice of its rank, so that survivors do not tie (DESIGN §4). With the
 * defaults that is 1.0 to 1.25 s for the first of two, and 1.5 to 1.75 s for the second.
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
  const drawnTicks = random.nextInt(Math.max(1, sliceTicks - GAP_TICKS));
  return electionTicks + Math.min(slice * sliceTicks, electionTicks - 1) + drawnTicks;
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
