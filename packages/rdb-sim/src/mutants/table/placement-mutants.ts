import type { Mutant } from "../mutant.ts";

// Bugs of the placement driver.

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
];
