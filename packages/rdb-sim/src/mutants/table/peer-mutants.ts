import type { Mutant } from "../mutant.ts";

// Bugs in the Store: proposals, apply, hibernation, snapshots.

const APPLIER = "packages/rdb-server/src/peer/applier.ts";
const SLEEP = "packages/rdb-server/src/peer/sleep-path.ts";

export const peerMutants: readonly Mutant[] = [
  {
    name: "epoch-not-checked-at-apply",
    breaks: "An entry that was proposed for an older Region is applied to the Region as it is now.",
    edits: [
      {
        file: APPLIER,
        find: "if (Number(command.epochVersion) === this.#owner.region().epoch.version) {",
        replace: "if (Number(command.epochVersion) <= this.#owner.region().epoch.version) {",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "replaced-entry-answered-as-ours",
    breaks:
      "Whoever waits at an index gets the answer of the entry that took its place: a lost write is confirmed.",
    edits: [
      {
        file: APPLIER,
        find: "const ours = pending?.term === entry.term ? pending : undefined;",
        replace: "const ours = pending;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "unknown-outcome-told-as-refusal",
    breaks: "A write that is in the log and not applied is answered as one that was not taken.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/write-path.ts",
        find: "caller?.respond(errorResponse(caller.requestId, staleCommand(why)));",
        replace: "caller?.respond(errorResponse(caller.requestId, busy(why)));",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "compare-ignores-version",
    breaks: "A comparison with a version holds for later versions, too: an update in between is lost.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/evaluate-write.ts",
        find: "return found !== undefined && BigInt(found.version) === condition.value;",
        replace: "return found !== undefined && BigInt(found.version) >= condition.value;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "failed-batch-half-applied",
    breaks: "A conditional batch is applied when some of its conditions hold.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/evaluate-write.ts",
        find: "const succeeded = failedConditions.length === 0;",
        replace:
          "const succeeded = failedConditions.length < batch.conditions.length || failedConditions.length === 0;",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "hibernated-peer-never-wakes",
    breaks: "A peer that sleeps stays asleep whatever happens to its Region.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/hibernation.ts",
        find: '    this.#state = "Awake";\n    this.#awaited.clear();\n    return slept;\n',
        replace: "    this.#awaited.clear();\n    return slept;\n",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "leader-sleeps-over-unmatched-voter",
    breaks:
      "A leader falls asleep before every live voter has everything, and a voter agrees though it lacks entries.",
    edits: [
      {
        file: SLEEP,
        find: "      followers.hasLiveQuorum() &&\n      followers.live().every((peer) => followers.match(peer) === node.lastIndex)\n",
        replace: "      followers.hasLiveQuorum()\n",
      },
      {
        file: SLEEP,
        find: "follows && node.lastIndex === commit && this.#owner.appliedIndex() === commit && this.#owner.isIdle()",
        replace: "follows && node.lastIndex <= commit && this.#owner.isIdle()",
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "lost-snapshot-not-told",
    breaks: "A snapshot that could not be sent is not reported: its follower is waited for without end.",
    edits: [
      {
        file: "packages/rdb-server/src/peer/peer.ts",
        find: 'this.#node.reportSnapshot(toPeerId, ok ? "finish" : "failure");',
        replace: 'if (ok) {\n      this.#node.reportSnapshot(toPeerId, "finish");\n    }',
      },
    ],
    seenBy: ["simulator"],
  },
  {
    name: "snapshot-keeps-old-sessions",
    breaks:
      "A snapshot replaces the rows, but not what the peer remembers of clients: it decides unlike the others.",
    edits: [
      {
        file: APPLIER,
        find: "    this.#state = state;\n    this.#sessions = sessions;\n  }\n\n  /**\n   * Applies entries",
        replace: "    this.#state = state;\n  }\n\n  /**\n   * Applies entries",
      },
    ],
    seenBy: ["simulator"],
  },
];
