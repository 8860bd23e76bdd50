import { assert, SeededRandom } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RaftConfig } from "./config.ts";
import { SimGroup, type SimStep, type SimStepKind } from "./testing/sim-group.ts";

// Random schedules: what Raft promises holds after every step, whatever is lost, repeated, reordered or crashes.
// A failure names the seed of its schedule: `runSchedule(seed, ...)` repeats it.

const RUNS = 40;
const STEPS = 2_000;
/** So that a run in which nothing happens does not pass for one in which everything holds. */
const MIN_COMMITS_PER_RUN = 3;

const WEIGHTS: Record<SimStepKind, number> = {
  deliver: 60,
  ready: 50,
  local: 20,
  append: 20,
  apply: 15,
  tick: 15,
  propose: 10,
  drop: 3,
  duplicate: 3,
  read: 4,
  change: 2,
  campaign: 1,
  transfer: 1,
  compact: 2,
  restart: 1,
  cut: 1,
  heal: 3,
};
/** Each kind as often as its weight says. */
const KINDS = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind as SimStepKind),
);

function drawStep(random: SeededRandom): SimStep {
  const kind = KINDS[random.nextInt(KINDS.length)];
  assert(kind !== undefined, "a drawn number names a kind of step");
  return { kind, a: random.nextInt(1_000), b: random.nextInt(1_000) };
}

interface Shape {
  readonly peerCount: number;
  /** How many vote to begin with. */
  readonly voterCount: number;
  /** How many voters stay for good. */
  readonly steadyCount: number;
}

/** Runs one schedule. Returns how far the group has committed. */
function runSchedule(seed: number, shape: Shape, config: Partial<RaftConfig>): number {
  const random = new SeededRandom(seed);
  const group = new SimGroup({ ...shape, config });
  for (let step = 0; step < STEPS; step++) {
    group.run(drawStep(random));
  }
  group.converge();
  return group.checker.highestCommit;
}

const configs: Record<string, Partial<RaftConfig>> = {
  "synchronous storage": {},
  "asynchronous storage": { asyncStorageWrites: true },
  "asynchronous storage, pre-vote and check-quorum": {
    asyncStorageWrites: true,
    preVote: true,
    checkQuorum: true,
    stepDownOnRemoval: true,
  },
  "synchronous storage, pre-vote, small messages": {
    preVote: true,
    maxSizePerMessageBytes: 0,
    maxCommittedSizePerReadyBytes: 16,
    maxInflightMessages: 2,
  },
};

const shapes: readonly (readonly [string, Shape])[] = [
  ["a majority that stays", { peerCount: 3, voterCount: 3, steadyCount: 2 }],
  ["a majority that stays", { peerCount: 4, voterCount: 4, steadyCount: 3 }],
  ["a majority that stays", { peerCount: 5, voterCount: 3, steadyCount: 3 }],
  ["one voter that stays", { peerCount: 5, voterCount: 3, steadyCount: 1 }],
  ["a majority that stays", { peerCount: 6, voterCount: 5, steadyCount: 3 }],
  ["a majority that stays", { peerCount: 7, voterCount: 7, steadyCount: 4 }],
];

describe.each(Object.entries(configs))("with %s", (_name, config) => {
  test.each(shapes)(
    "and %s, a group keeps every promise and agrees once nothing fails any more: %o",
    (_shape, shape) => {
      let committed = 0;
      fc.assert(
        fc.property(fc.noShrink(fc.nat()), (seed) => {
          committed += runSchedule(seed, shape, config);
        }),
        { numRuns: RUNS },
      );
      expect(committed).toBeGreaterThan(RUNS * MIN_COMMITS_PER_RUN);
    },
  );
});
