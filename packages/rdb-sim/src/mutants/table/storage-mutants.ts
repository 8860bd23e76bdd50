import type { Mutant } from "../mutant.ts";

// Bugs between memory and disk: what is durable when, and what a restart finds.

const LOG_STORE = "packages/rdb-storage/src/raft-log-store.ts";
const STREAM = "packages/rdb-storage/src/stream-engine.ts";
const APPLIER = "packages/rdb-server/src/peer/applier.ts";
const READY = "packages/rdb-server/src/peer/ready-handler.ts";

export const storageMutants: readonly Mutant[] = [
  {
    name: "answer-before-fsync",
    breaks:
      "Appends and votes are acknowledged when they are handed to the writer, not when they are durable.",
    edits: [
      {
        file: READY,
        find: "this.#owner.engine.submit(part, () => {\n      durable();\n      this.#written(work);\n    });",
        replace: "this.#owner.engine.submit(part, durable);\n    this.#written(work);",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "append-not-synced",
    breaks: "Log entries are written without a sync: a power failure takes back what was acknowledged.",
    edits: [
      {
        file: LOG_STORE,
        find: "    this.#cache.append(this.regionId, entries);\n    part.sync = true;\n",
        replace: "    this.#cache.append(this.regionId, entries);\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "sync-lost-in-merged-batch",
    breaks: "A part that needs no sync, merged behind one that does, takes the sync away from both.",
    edits: [{ file: STREAM, find: "step.sync ||= part.sync;", replace: "step.sync = part.sync;" }],
    seenBy: ["simulator"],
  },
  {
    name: "part-joins-batch-under-way",
    breaks:
      "A part is added to a batch that the disk is writing already: it is acknowledged and never written.",
    edits: [
      {
        file: STREAM,
        find: "const isUnderWay = this.#inFlight && this.#steps.length === 1;",
        replace: "const isUnderWay = this.#inFlight && this.#steps.length === 0;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "oldest-unwritten-value-read",
    breaks:
      "While the disk is behind, a read finds the oldest of the values that wait instead of the newest.",
    edits: [
      {
        file: STREAM,
        find: "for (let i = this.#steps.length - 1; i >= 0; i--) {",
        replace: "for (let i = 0; i < this.#steps.length; i++) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "write-error-ignored",
    breaks: "A failed write counts as done: the Store goes on as if its disk had what it never got.",
    edits: [
      {
        file: STREAM,
        find: "    if (outcome.error !== undefined) {\n      this.#fail(outcome.error);\n      return;\n    }\n",
        replace: "",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "stale-tail-after-restart",
    breaks: "An append that replaces a longer tail leaves its end on disk: it is back after a restart.",
    edits: [
      {
        file: LOG_STORE,
        find: "    this.#deleteEntries(part, last.index + 1, this.#lastIndex);\n    this.#lastIndex = last.index;",
        replace: "    this.#lastIndex = last.index;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "applied-commit-forgotten-in-restart",
    breaks: "A restart takes the commit index from HardState alone, which lags behind what is applied.",
    edits: [
      {
        file: "packages/rdb-storage/src/raft-log-loader.ts",
        find: "index(Math.max(stored.commit, applied, truncated.index))",
        replace: "index(Math.max(stored.commit, truncated.index))",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "applied-index-behind-data",
    breaks: "The applied index travels with the next part, not with its rows: a crash applies entries twice.",
    edits: [
      {
        file: APPLIER,
        find: "    putApplyState(this.#part, this.#owner.region().id, this.#state);\n    this.#owner.engine.submit(this.#part);\n    this.#part = new WritePart();\n",
        replace:
          "    this.#owner.engine.submit(this.#part);\n    this.#part = new WritePart();\n    putApplyState(this.#part, this.#owner.region().id, this.#state);\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "new-peer-at-index-0",
    breaks: "The log of a new Region begins at 0 while its content stands at 5: they contradict each other.",
    edits: [
      {
        file: "packages/rdb-server/src/store/region-records.ts",
        find: "    index: INITIAL_INDEX,\n    term: INITIAL_TERM,\n    confState",
        replace: "    index: index(0),\n    term: term(0),\n    confState",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "snapshot-leaves-old-keys",
    breaks: "A snapshot is laid over the old rows: what was deleted meanwhile is there again.",
    edits: [
      {
        file: "packages/rdb-storage/src/region-replacement.ts",
        find: '  engine.deleteRange("data", region);\n  engine.deleteRange("session", regionKeyRange(region.id));\n',
        replace: '  engine.deleteRange("session", regionKeyRange(region.id));\n',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "half-snapshot-counts-as-whole",
    breaks:
      "A Region is marked Normal before a snapshot's rows are there: a crash in between leaves half of them.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/snapshot-installer.ts",
        find: 'putRegionLocalState(part, { state: "Applying", region });',
        replace: 'putRegionLocalState(part, { state: "Normal", region });',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "appends-answered-before-snapshot",
    breaks: "Appends behind a snapshot are confirmed as soon as they are durable, the snapshot not yet.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/append-order.ts",
        find: "const firstOpen = this.#works.findIndex((one) => !one.isDone);",
        replace: "const firstOpen = this.#works.indexOf(work) + 1;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "placement-answered-before-durable",
    breaks: "PD confirms registrations and placements that a crash makes it forget.",
    edits: [
      {
        file: "packages/rdb-pd/src/member/pd-storage.ts",
        find: "this.#engine.submit(part, onDurable);",
        replace: "this.#engine.submit(part);\n    onDurable();",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "store-id-given-twice",
    breaks: "PD gives two Stores the same id: each takes the other's messages for its own.",
    edits: [
      {
        file: "packages/rdb-pd/src/cluster/durable-state.ts",
        find: "this.updateCluster({ nextStoreId: id + 1 });",
        replace: "this.updateCluster({ nextStoreId: id });",
      },
    ],
    seenBy: ["simulator"],
  },
];
