import type { Mutant } from "../mutant.ts";

// Bugs in what splits and merges make of Regions.

const ADMIN_APPLIER = "packages/rdb-server/src/peer/admin/admin-applier.ts";
const APPLIER = "packages/rdb-server/src/peer/applier.ts";
const APPLY_MERGE = "packages/rdb-server/src/peer/admin/apply-merge.ts";
const APPLY_SPLIT = "packages/rdb-server/src/peer/admin/apply-split.ts";
const CHILD_PLACE = "packages/rdb-server/src/peer/admin/child-place.ts";
const MERGE_PATH = "packages/rdb-server/src/peer/admin/merge-path.ts";
const MERGE_PLAN = "packages/rdb-server/src/peer/admin/merge-plan.ts";
const SPLIT_PLAN = "packages/rdb-server/src/peer/admin/split-plan.ts";

export const regionMutants: readonly Mutant[] = [
  {
    name: "split-applied-twice",
    breaks: "A split that was proposed for an older epoch is applied again: the same keys get another owner.",
    edits: [
      {
        file: ADMIN_APPLIER,
        find: "return this.#hasEpoch(entry.command) ? applySplit(owner, entry, command.value, part) : nothing;",
        replace: "return applySplit(owner, entry, command.value, part);",
      },
    ],
    seenBy: ["simulator"],
  },
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
    name: "child-forgets-clients",
    breaks:
      "A new Region does not know what its parent applied for clients: a write that is tried again is applied twice.",
    edits: [
      {
        file: APPLY_SPLIT,
        find: "  const rows = sessionRows(owner);\n",
        replace: "  const rows: StoredSessionRow[] = [];\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-overwrites-a-vote",
    breaks:
      "The split makes the child's peer anew although it voted as an empty one: it can vote twice in a term.",
    edits: [
      {
        file: CHILD_PLACE,
        find: "promised: RaftLogStore.hardStateOf(engine, child.id)",
        replace: "promised: undefined",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-makes-a-removed-child",
    breaks: "A Store that applies a split late makes the child's peer although that was removed already.",
    edits: [
      {
        file: CHILD_PLACE,
        find: ': { kind: "taken" };',
        replace: ': { kind: "free", promised: undefined };',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "merge-without-catch-up",
    breaks:
      "The source is taken without the entries that its peer here still lacks: acknowledged writes are lost.",
    edits: [
      {
        file: MERGE_PATH,
        find: "    this.#owner.apply([...missing.own, ...missing.carried]);\n",
        replace: "    this.#owner.apply(missing.own);\n",
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
  {
    name: "merge-leaves-the-sources-version",
    breaks:
      "A source that is prepared keeps its version: what was proposed before is applied after it was taken.",
    edits: [
      {
        file: MERGE_PLAN,
        find: "export function preparedRegion(source: Region): Region {\n  return withVersion(source, source.epoch.version + 1);",
        replace:
          "export function preparedRegion(source: Region): Region {\n  return withVersion(source, source.epoch.version);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "source-goes-on-in-time",
    breaks:
      "A source that waits to be taken takes log time from later entries, which not all of its peers have by then.",
    edits: [
      {
        file: APPLIER,
        find: "const isStill = this.#owner.isBeingTaken();",
        replace: "const isStill = false;",
      },
    ],
    seenBy: ["simulator"],
  },
];
