import { RdbError } from "@flaredb/rdb-base";

/** What both ends of a connection between members say of themselves. */
export interface GroupPapers {
  /** 0: knows of no cluster yet. */
  readonly clusterId: number;
  /** What it was told of the first members, in one form; empty when it joined later. */
  readonly initialCluster: string;
  /** Of this member: the cluster's. Of the other one: the newest that it knows. */
  readonly clusterVersion: number;
}

/** What one member knows when another one speaks to it. */
export interface LocalPapers extends GroupPapers {
  readonly memberId: number;
  readonly isRemoved: (memberId: number) => boolean;
  /** Whether the member is on record as one that knew the cluster. */
  readonly hasServed: (memberId: number) => boolean;
}

/** What the other one says. */
export interface ForeignPapers extends GroupPapers {
  readonly fromMemberId: number;
  readonly fromAddress: string;
  readonly toMemberId: number;
}

/**
 * Whether a message is from a member of the same group, for this one.
 *
 * @throws RdbError RDB_CLUSTER_MISMATCH; RDB_DATA_FOREIGN when the sender was taken out of the group;
 * RDB_VERSION_TOO_OLD when its program does not know the cluster's version
 */
export function checkPapers(local: LocalPapers, foreign: ForeignPapers): void {
  const who = `PD member ${foreign.fromMemberId} at ${foreign.fromAddress}`;
  if (local.clusterId !== 0 && foreign.clusterId !== 0 && local.clusterId !== foreign.clusterId) {
    throw mismatch(`${who} is of cluster ${foreign.clusterId}, this is cluster ${local.clusterId}`);
  }
  if (foreign.toMemberId !== local.memberId) {
    throw mismatch(`${who} takes this for member ${foreign.toMemberId}, it is member ${local.memberId}`);
  }
  if (foreign.fromMemberId === local.memberId) {
    // A copy of the data folder, or one that lies: what it said would count as this member's own word.
    throw mismatch(
      `${who} has this member's own id: each member needs a data folder and an address of its own`,
    );
  }
  if (foreign.clusterVersion < local.clusterVersion) {
    throw new RdbError(
      "RDB_VERSION_TOO_OLD",
      `the cluster has version ${local.clusterVersion}, the program of ${who} knows up to ${foreign.clusterVersion}: start it with the program that the others run`,
      { details: { clusterVersion: local.clusterVersion, known: foreign.clusterVersion } },
    );
  }
  if (local.clusterId !== 0 && foreign.clusterId === 0 && local.hasServed(foreign.fromMemberId)) {
    // It may have voted, and taken entries, of which it knows nothing any more: a vote of it could cost what was
    // committed. After a mere crash it hears of the cluster from its leader before anybody has to hear from it.
    throw mismatch(
      `${who} has lost its data: remove it, and add it again as a new one with an empty data folder`,
    );
  }
  const isNew = local.clusterId === 0 || foreign.clusterId === 0;
  const bothWereTold = local.initialCluster !== "" && foreign.initialCluster !== "";
  if (isNew && bothWereTold && local.initialCluster !== foreign.initialCluster) {
    throw mismatch(
      `${who} was started with the members ${foreign.initialCluster}, this one with ${local.initialCluster}: all must be told the same`,
    );
  }
  if (local.isRemoved(foreign.fromMemberId)) {
    throw removedError(foreign.fromMemberId);
  }
}

/** A member that was taken out is to end. */
export function removedError(memberId: number): RdbError {
  return new RdbError(
    "RDB_DATA_FOREIGN",
    `PD member ${memberId} was removed from its group; add it again as a new one, with an empty data folder`,
    { details: { memberId } },
  );
}

/** A member whose disk was emptied or went back is to end. */
export function lostDataError(memberId: number, acknowledgedIndex: number, lastIndex: number): RdbError {
  return new RdbError(
    "RDB_DATA_CORRUPT",
    `the log of PD member ${memberId} ends at ${lastIndex}, but it has acknowledged ${acknowledgedIndex}: remove this member, and add it again as a new one with an empty data folder`,
    { details: { memberId } },
  );
}

function mismatch(message: string): RdbError {
  return new RdbError("RDB_CLUSTER_MISMATCH", message);
}
