import { index, peerId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatTrackerConfig } from "../describe.ts";
import type { ConfChangeSingle, ConfChangeType } from "../messages.ts";
import { ProgressTracker } from "../progress-tracker.ts";
import { Changer, type ChangeResult } from "./changer.ts";
import { restoreConfig } from "./restore.ts";

// Any sequence of changes keeps the configuration sound, and the joint way leads where single steps lead.

const RUNS = 300;
const MAX_PEERS = 6;
const LIMITS = { maxInflightMessages: 10, maxInflightBytes: 0 };

const types: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "AddLearnerNode", "UpdateNode"];
const change: fc.Arbitrary<ConfChangeSingle> = fc.record({
  type: fc.constantFrom(...types),
  nodeId: fc.integer({ min: 0, max: MAX_PEERS }).map(peerId),
});
const changes = fc.array(change, { minLength: 1, maxLength: 5 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("simple" as const), changes }),
  fc.record({ kind: fc.constant("enter" as const), changes, autoLeave: fc.boolean() }),
  fc.record({ kind: fc.constant("leave" as const) }),
);
const steps = fc.array(step, { maxLength: 20 });
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function trackerOfOne(): ProgressTracker {
  const tracker = new ProgressTracker(LIMITS);
  adopt(
    tracker,
    new Changer({ tracker, lastIndex: index(1) }).simple([{ type: "AddNode", nodeId: peerId(1) }]),
  );
  return tracker;
}

/** Takes a result over if it is one; whether it was. */
function adopt(tracker: ProgressTracker, result: ChangeResult): boolean {
  if (result.ok) {
    tracker.config = result.config;
    tracker.progress = result.progress;
  }
  return result.ok;
}

function run(tracker: ProgressTracker, { ...next }: Step): boolean {
  const changer = new Changer({ tracker, lastIndex: index(10) });
  switch (next.kind) {
    case "simple":
      return adopt(tracker, changer.simple(next.changes));
    case "enter":
      return adopt(tracker, changer.enterJoint(next.autoLeave, next.changes));
    case "leave":
      return adopt(tracker, changer.leaveJoint());
  }
}

function expectSound({ config, progress, ids }: ProgressTracker): void {
  const { incoming, outgoing } = config.voters;
  const voters = new Set([...incoming.ids, ...outgoing.ids]);
  const known = [...new Set([...voters, ...config.learners, ...config.learnersNext])].sort((a, b) => a - b);
  expect(incoming.ids.length).toBeGreaterThan(0);
  expect([...progress.keys()].sort((a, b) => a - b)).toEqual(known);
  expect(ids).toEqual(known);
  expect([...config.learners].filter((id) => voters.has(id))).toEqual([]);
  expect([...config.learnersNext].filter((id) => !outgoing.has(id))).toEqual([]);
  for (const [id, each] of progress) {
    expect(each.isLearner).toBe(config.learners.has(id));
    expect(each.match).toBeLessThan(each.next);
  }
  if (outgoing.ids.length === 0) {
    expect(config.autoLeave).toBe(false);
    expect(config.learnersNext.size).toBe(0);
  }
}

describe("changes of the configuration", () => {
  test("keep it sound, whatever their order, and a refused one changes nothing", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const tracker = trackerOfOne();
        for (const next of sequence) {
          const before = formatTrackerConfig(tracker.config);
          if (!run(tracker, next)) {
            expect(formatTrackerConfig(tracker.config)).toBe(before);
          }
          expectSound(tracker);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("a simple change never moves more than one voter (Raft thesis §4.1)", () => {
    fc.assert(
      fc.property(steps, changes, (sequence, last) => {
        const tracker = trackerOfOne();
        for (const next of sequence) {
          run(tracker, next);
        }
        const before = tracker.config.voters.incoming.ids;
        if (run(tracker, { kind: "simple", changes: last })) {
          const after = tracker.config.voters.incoming.ids;
          const moved = [...before, ...after].filter((id) => before.includes(id) !== after.includes(id));
          expect(moved.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("entering and leaving a joint configuration leads where single changes lead", () => {
    fc.assert(
      fc.property(changes, changes, (setup, last) => {
        // Peer 1 stays a voter, so that no single change is refused for want of voters.
        const others = (list: ConfChangeSingle[]): ConfChangeSingle[] =>
          list.filter(({ nodeId }) => nodeId !== 1);
        const joint = trackerOfOne();
        const single = trackerOfOne();
        for (const tracker of [joint, single]) {
          others(setup).forEach((each) => run(tracker, { kind: "simple", changes: [each] }));
        }
        expect(run(joint, { kind: "enter", changes: others(last), autoLeave: false })).toBe(true);
        expect(run(joint, { kind: "leave" })).toBe(true);
        others(last).forEach((each) => run(single, { kind: "simple", changes: [each] }));
        expect(formatTrackerConfig(joint.config)).toBe(formatTrackerConfig(single.config));
      }),
      { numRuns: RUNS },
    );
  });

  test("a ConfState restores the configuration that it describes", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const tracker = trackerOfOne();
        for (const next of sequence) {
          run(tracker, next);
        }
        const restored = new ProgressTracker(LIMITS);
        const confState = tracker.confState();
        expect(adopt(restored, restoreConfig(confState, { limits: LIMITS, lastIndex: index(10) }))).toBe(
          true,
        );
        expect(restored.confState()).toEqual(confState);
      }),
      { numRuns: RUNS },
    );
  });
});
