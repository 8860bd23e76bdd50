import type { Mutant } from "../mutant.ts";

// Bugs in what splits make of Regions.

const ADMIN_APPLIER = "packages/rdb-server/src/peer/admin/admin-applier.ts";
const APPLY_SPLIT = "packages/rdb-server/src/peer/admin/apply-split.ts";
const CHILD_PLACE = "packages/rdb-server/src/peer/admin/child-place.ts";
const MESSAGE_ROUTER = "packages/rdb-server/src/store/message-router.ts";
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
    name: "children-share-keys",
    breaks: "A split into several Regions gives each of them all keys up to the parent's end.",
    edits: [
      {
        file: SPLIT_PLAN,
        find: "endKey: keys[place + 1] ?? region.endKey,",
        replace: "endKey: region.endKey,",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-in-two-parts",
    breaks:
      "The shrunken Region and the new one are written one after the other: a crash in between loses keys.",
    edits: [
      {
        file: APPLY_SPLIT,
        find: "  type WritePart,\n  hasDamageMark,",
        replace: "  WritePart,\n  hasDamageMark,",
      },
      {
        file: APPLY_SPLIT,
        find: "  const children: ChildStart[] = [];\n",
        replace: "  const children: ChildStart[] = [];\n  const later = new WritePart();\n",
      },
      {
        file: APPLY_SPLIT,
        find: "    putChild(part, start, rows);",
        replace: "    putChild(later, start, rows);",
      },
      {
        file: APPLY_SPLIT,
        find: "    submitted: () => {\n",
        replace: "    submitted: () => {\n      owner.engine.submit(later);\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-overwrites-a-vote",
    breaks:
      "An empty peer may wait beside the Region that its own is split off, and the split makes it anew: it can vote twice in a term.",
    edits: [
      {
        file: CHILD_PLACE,
        find: "promised: RaftLogStore.hardStateOf(engine, child.id)",
        replace: "promised: undefined",
      },
      {
        file: MESSAGE_ROUTER,
        find: "    const inTheWay = peers.overlapping(message.range, ...others);",
        replace: "    const inTheWay = others.length === 0 ? peers.overlapping(message.range) : undefined;",
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
    name: "learner-of-the-child-votes",
    breaks: "The peers of a new Region all vote, also those whose Store has nothing of it yet.",
    edits: [
      {
        file: SPLIT_PLAN,
        find: "peers: region.peers.map((peer, at) => ({ ...peer, id: peerId(child.peerIds[at] as bigint) })),",
        replace:
          'peers: region.peers.map((peer, at) => ({\n        ...{ ...peer, role: "Voter" as const },\n        id: peerId(child.peerIds[at] as bigint),\n      })),',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "split-applied-twice",
    breaks:
      "A split that was proposed for an older epoch, and whose keys are another Region's by now, is applied: these keys get a second owner.",
    edits: [
      {
        file: ADMIN_APPLIER,
        find: "return this.#hasEpoch(entry.command) ? applySplit(owner, entry, command.value, part) : nothing;",
        replace: "return applySplit(owner, entry, command.value, part);",
      },
      {
        file: SPLIT_PLAN,
        find: "  const problem = splitKeysProblem(region, keys) ?? idsProblem(region, newRegions);",
        replace: "  const problem = idsProblem(region, newRegions);",
      },
    ],
    seenBy: ["simulator"],
  },
];
