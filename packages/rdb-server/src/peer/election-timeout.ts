import type { Random } from "@flaredb/rdb-base";

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
