/**
 * What the programs of one cluster can rely on in each other: a whole number that rises with each addition that an older
 * program would misunderstand, such as a command of a log. The cluster's is the lowest that all of its Stores and members
 * of PD know; what is newer waits for it (docs/adr/0021). Which command came with which version stands in rdb-proto,
 * `command-versions.ts`.
 *
 * | Version | Adds |
 * | --- | --- |
 * | 1 | what programs know that say nothing of versions |
 * | 2 | cluster versions themselves; checks of replicas; RefuseMerge |
 */
export const clusterVersions = {
  /** Of a program that says nothing of versions, and of a cluster that has such programs. */
  oldest: 1,
  /** The newest that this program knows. */
  newest: 2,
} as const;

/** A version as another process said it: one that says 0, or nothing, knows of no versions. */
export function saidClusterVersion(said: number): number {
  return Math.max(said, clusterVersions.oldest);
}
