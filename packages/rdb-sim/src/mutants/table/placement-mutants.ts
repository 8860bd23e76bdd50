import type { Mutant } from "../mutant.ts";

// Bugs of the placement driver.

const ALLOCATOR = "packages/rdb-pd/src/id/allocator.ts";
const CLUSTER_STATE = "packages/rdb-pd/src/cluster/cluster-state.ts";
const PLANS = "packages/rdb-pd/src/placement/plans.ts";

export const placementMutants: readonly Mutant[] = [
  {
    name: "move-removes-first",
    breaks:
      "PD takes the old peer away before the new one is there: a Region has fewer replicas than it should.",
    edits: [
      {
        file: PLANS,
        find: 'return [add, ...transfer, { kind: "enter-joint", ...joint }, { kind: "leave-joint", ...joint }, remove];',
        replace:
          'return [...transfer, remove, { ...add, joint } as typeof add, { kind: "promote", ...fresh }];',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "stale-heartbeat-wins",
    breaks: "PD takes what a former leader, or an older epoch, says of a Region over what it knows.",
    edits: [
      {
        file: CLUSTER_STATE,
        find: "    return this.durable.regions.staleReason(report.region);",
        replace: "    return undefined;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "ids-given-out-twice",
    breaks: "PD gives out ids that it gave out before: two Regions or peers are taken for one.",
    edits: [{ file: ALLOCATOR, find: "    this.#nextId += count;\n", replace: "" }],
    seenBy: ["simulator"],
  },
];
