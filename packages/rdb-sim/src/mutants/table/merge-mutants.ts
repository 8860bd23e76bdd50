import type { Mutant } from "../mutant.ts";

// Bugs in what merges make of Regions.

const APPLY_MERGE = "packages/rdb-server/src/peer/admin/apply-merge.ts";
const MERGE_PATH = "packages/rdb-server/src/peer/admin/merge-path.ts";
const MERGE_PLAN = "packages/rdb-server/src/peer/admin/merge-plan.ts";

export const mergeMutants: readonly Mutant[] = [
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
    name: "merge-ignores-the-sources-version",
    breaks:
      "A Region that takes another one may keep a version that the other had: what is newer cannot be told.",
    edits: [
      {
        file: MERGE_PLAN,
        find: "const version = Math.max(target.epoch.version, source.epoch.version) + 1;",
        replace: "const version = target.epoch.version + 1;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "merge-leaves-the-source",
    breaks: "A Region that was taken leaves no tombstone: two Regions have its keys.",
    edits: [
      {
        file: APPLY_MERGE,
        find: '  putRegionLocalState(part, { state: "Tombstone", region });\n',
        replace: "",
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
    name: "merge-without-catch-up",
    breaks:
      "A source is taken as its peer here stands, without the entries up to its PrepareMerge: acknowledged writes are lost on this Store.",
    edits: [
      {
        file: MERGE_PATH,
        find: '    this.#catchUp(missing.own, missing.carried);\n    const prepared = this.#prepared;\n    assert(\n      prepared !== undefined && BigInt(prepared.prepareIndex) === command.commitIndex,\n      "a source that is taken stands at the merge that the target names",\n    );',
        replace:
          '    const prepared = this.#prepared ?? {\n      kind: "Prepared" as const,\n      target: region,\n      minMatchedIndex: this.#owner.applyState().index,\n      prepareIndex: this.#owner.applyState().index,\n    };',
      },
      {
        file: APPLY_MERGE,
        find: "if (!epochsEqual(source.region.epoch, expected.epoch)) {",
        replace: "if (source.region.id !== expected.id) {",
      },
      {
        file: APPLY_MERGE,
        find: "joinedRegion(target, source.region);",
        replace: "joinedRegion(target, expected);",
      },
    ],
    seenBy: ["simulator"],
  },
];
