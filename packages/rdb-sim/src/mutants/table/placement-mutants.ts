import type { Mutant } from "../mutant.ts";

// Bugs of the placement driver.

const ALLOCATOR = "packages/rdb-pd/src/id/allocator.ts";
const CLUSTER_STATE = "packages/rdb-pd/src/cluster/cluster-state.ts";
const DURABLE_STATE = "packages/rdb-pd/src/cluster/durable-state.ts";
const INFLUENCE = "packages/rdb-pd/src/operator/influence.ts";
const PLANS = "packages/rdb-pd/src/placement/plans.ts";
const REGION_TREE = "packages/rdb-pd/src/cluster/region-tree.ts";
const REGISTER_STORE = "packages/rdb-pd/src/command/register-store.ts";
const REPLICA_CHECKER = "packages/rdb-pd/src/placement/checker/replica-checker.ts";

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
    name: "sound-peer-counts-as-surplus",
    breaks: "PD takes a peer away from a Region that has just as many as it should.",
    edits: [
      {
        file: REPLICA_CHECKER,
        find: "    if (length > wantedCount) {\n      return this.#removeSurplus",
        replace: "    if (length >= wantedCount) {\n      return this.#removeSurplus",
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
        find: "    if (report.term < knownTerm) {",
        replace: "    if (report.term < 0 * knownTerm) {",
      },
      {
        file: REGION_TREE,
        find: "    if (known !== undefined && epochIsStale(region.epoch, known.epoch)) {",
        replace: "    if (known !== undefined && region.epoch.version < known.epoch.version) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "pd-keeps-a-region-that-was-taken",
    breaks: "PD's map keeps Regions that a newer one replaced: a key has two owners there.",
    edits: [
      {
        file: REGION_TREE,
        find: "    for (const other of removed) {\n      this.#remove(other);\n    }\n",
        replace: "",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "initial-peer-sent-again",
    breaks:
      "A Store that lost its disk is taken for the one that it was, and PD tells it to make its initial peers: empty voters.",
    edits: [
      {
        file: REGISTER_STORE,
        find: "      ? [...state.stores.values()].find((store) => store.registrationToken === registrationToken)",
        replace:
          "      ? [...state.stores.values()].find(\n          (store) =>\n            store.registrationToken === registrationToken ||\n            (store.address === registration.address && !store.isTombstone),\n        )",
      },
      {
        file: DURABLE_STATE,
        find: "    } else {\n      this.#forming.delete(id);\n    }\n    this.#changedRegions.add(id);",
        replace: "    }\n    this.#changedRegions.add(id);",
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
  {
    name: "operator-counted-twice",
    breaks:
      "An operator that takes a step counts once more for its Stores, and for ever: PD takes them for fuller than they are.",
    edits: [
      {
        file: INFLUENCE,
        find: "    this.remove(operatorId);\n    const influences",
        replace: "    const influences",
      },
    ],
    seenBy: ["simulator"],
  },
];
