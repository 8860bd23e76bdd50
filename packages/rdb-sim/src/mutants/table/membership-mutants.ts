import type { Mutant } from "../mutant.ts";

// Bugs in configurations of the Raft core. The data-driven files alone see them: peers do not come and go yet.

const CHANGER = "packages/rdb-raft/src/conf-change/changer.ts";

export const membershipMutants: readonly Mutant[] = [
  {
    name: "learner-counted-in-quorum",
    breaks: "A learner votes and acknowledges as a voter does: entries are committed without a majority.",
    edits: [
      {
        file: CHANGER,
        find: "    addProgress(draft, id, true);\n    draft.learners.add(id);\n",
        replace: "    addProgress(draft, id, false);\n    draft.incoming.add(id);\n",
      },
    ],
    seenBy: ["conformance"],
  },
  {
    name: "joint-quorum-of-one-half",
    breaks: "While two configurations overlap, the majority of the new one alone commits.",
    edits: [
      {
        file: "packages/rdb-raft/src/quorum/joint.ts",
        find: "return Math.min(this.incoming.committedIndex(acked), this.outgoing.committedIndex(acked));",
        replace: "return this.incoming.committedIndex(acked);",
      },
    ],
    seenBy: ["conformance"],
  },
  {
    name: "second-change-before-first-applied",
    breaks: "Two changes of the configuration are under way at once: their majorities need not meet.",
    edits: [
      {
        file: "packages/rdb-raft/src/proposal.ts",
        find: "if (raft.pendingConfIndex > raft.log.applied) {",
        replace: "if (raft.pendingConfIndex > raft.log.committed) {",
      },
    ],
    seenBy: ["conformance"],
  },
  {
    name: "two-voters-changed-at-once",
    breaks: "A simple change moves two voters: the majorities before and after need not meet.",
    edits: [
      {
        file: CHANGER,
        find: "draft.incoming) > 1) {",
        replace: "draft.incoming) > 2) {",
      },
    ],
    seenBy: ["conformance"],
  },
];
