import type { Mutant } from "./mutant.ts";
import { membershipMutants } from "./table/membership-mutants.ts";
import { mergeMutants } from "./table/merge-mutants.ts";
import { peerMutants } from "./table/peer-mutants.ts";
import { placementMutants } from "./table/placement-mutants.ts";
import { raftMutants } from "./table/raft-mutants.ts";
import { readMutants } from "./table/read-mutants.ts";
import { regionMutants } from "./table/region-mutants.ts";
import { replicaMutants } from "./table/replica-mutants.ts";
import { sessionMutants } from "./table/session-mutants.ts";
import { storageMutants } from "./table/storage-mutants.ts";
import { versionMutants } from "./table/version-mutants.ts";

/** Every planted bug. Each is to be caught; one that nobody sees is a hole in the instruments. */
export const mutants: readonly Mutant[] = [
  ...raftMutants,
  ...membershipMutants,
  ...storageMutants,
  ...readMutants,
  ...peerMutants,
  ...sessionMutants,
  ...regionMutants,
  ...mergeMutants,
  ...replicaMutants,
  ...placementMutants,
  ...versionMutants,
];
