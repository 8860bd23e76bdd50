import type { LogCommand } from "./gen/rdb/v1/log_command_pb.ts";
import type { PdCommand } from "./gen/rdb/v1/pd_command_pb.ts";

type CaseOf<Oneof extends { readonly case: string | undefined }> = NonNullable<Oneof["case"]>;

/** A command in the log of a Region. */
export type LogCommandCase = CaseOf<LogCommand["command"]>;
/** A command in the log of the placement driver. */
export type PdCommandCase = CaseOf<PdCommand["command"]>;

/**
 * The cluster version that came with each command of a Region's log. A leader proposes none that is newer than the
 * cluster, and a peer whose program does not know one halts at it: to pass over it would be to differ from the others.
 * A field of a command that is here already needs a version as much: an older program drops it without a word.
 */
export const logCommandVersions: Readonly<Record<LogCommandCase, number>> = {
  writes: 1,
  compactLog: 1,
  deleteRange: 1,
  split: 1,
  changePeers: 1,
  prepareMerge: 1,
  commitMerge: 1,
  rollbackMerge: 1,
  computeHash: 2,
  verifyHash: 2,
  refuseMerge: 2,
};

/** The same for PD's own log; a member that does not know a command ends at it. */
export const pdCommandVersions: Readonly<Record<PdCommandCase, number>> = {
  initializeCluster: 1,
  configureCluster: 1,
  leaseIds: 1,
  registerStore: 1,
  placeInitialRegions: 1,
  updateRoutes: 1,
  recordOperators: 1,
  setStore: 1,
  buryStore: 1,
  setPlacement: 1,
  pauseScheduler: 1,
  putMember: 1,
  removeMember: 1,
  beginRecovery: 2,
  recordRecovery: 2,
  // Waits not for the cluster's version, but for everybody to know the one that it sets.
  setClusterVersion: 2,
};
