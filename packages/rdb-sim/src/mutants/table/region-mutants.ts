import type { Mutant } from "../mutant.ts";

// Bugs in what splits and merges make of Regions.

const APPLY_MERGE = "packages/rdb-server/src/peer/admin/apply-merge.ts";
const APPLY_SPLIT = "packages/rdb-server/src/peer/admin/apply-split.ts";
const SPLIT_PLAN = "packages/rdb-server/src/peer/admin/split-plan.ts";

export const regionMutants: readonly Mutant[] = [
  {
    name: "split-leaves-the-version",
    breaks:
      "A split changes ranges and not the version: what was meant for the old range is taken by the new one.",
    edits: [
      {
        file: SPLIT_PLAN,
        find: "version: region.epoch.version + newRegions.length",
        replace: "version: region.epoch.version",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-leaves-the-parents-end",
    breaks: "The split Region keeps the keys that its child has: both answer for them.",
    edits: [
      {
        file: SPLIT_PLAN,
        find: "parent: { ...region, endKey: keys[0] as Uint8Array, epoch }",
        replace: "parent: { ...region, epoch }",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "child-counts-from-zero",
    breaks: "A new Region does not go on from its parent's revision: versions of its keys come again.",
    edits: [
      {
        file: APPLY_SPLIT,
        find: "applyState: { ...state, term: CHILD_TERM }, raftState };",
        replace: "applyState: { ...state, revision: 0, term: CHILD_TERM }, raftState };",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "merge-takes-the-targets-revision",
    breaks:
      "A Region that takes another one goes on from its own revision: versions of the other's keys go back.",
    edits: [
      {
        file: APPLY_MERGE,
        find: "revision: Math.max(state.revision, source.applyState.revision),",
        replace: "revision: state.revision,",
      },
    ],
    seenBy: ["simulator"],
  },
];
