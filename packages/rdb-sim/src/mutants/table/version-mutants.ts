import type { Mutant } from "../mutant.ts";

// Bugs in what keeps older programs from what they do not know.

const ROUND = "packages/rdb-pd/src/coordinator/replica-check-round.ts";
const NEXT = "packages/rdb-pd/src/cluster/next-cluster-version.ts";

export const versionMutants: readonly Mutant[] = [
  {
    name: "gated-command-proposed-too-early",
    breaks:
      "A leader with the newer program proposes a command that older ones do not know: their peers halt at it.",
    edits: [
      {
        file: ROUND,
        find: "|| clusterVersion < logCommandVersions.computeHash",
        replace: "|| clusterVersion < 0 * logCommandVersions.computeHash",
      },
      {
        file: "packages/rdb-server/src/store/cluster-version.ts",
        find: "  return needed <= current\n",
        replace: "  return needed <= Math.max(current, clusterVersions.newest)\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "version-raised-when-most-know-it",
    breaks: "The cluster version is raised while the program of one Store does not know it.",
    edits: [
      {
        file: NEXT,
        find: "Math.min(clusterVersions.newest, ...known)",
        replace: "Math.min(clusterVersions.newest, ...known.toSorted().slice(1))",
      },
    ],
    seenBy: ["simulator"],
  },
];
