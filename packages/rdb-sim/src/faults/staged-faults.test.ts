import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import { isReadOnlyAt, isStaged, stagedFaultAt, writesIn } from "./staged-faults.ts";

const usurper: Fault = {
  ...{ kind: "usurper", region: 1, place: 0, leadMs: 1_000, restartMs: 5, clients: 0b1 },
  ...{ atMs: 10_000, durationMs: 6_000 },
};
const doubtful: Fault = {
  ...{ kind: "doubtful-leader", region: 0, lateMs: 300, leadMs: 500, transfers: false, place: 0 },
  ...{ cut: "out", clients: 0b10, atMs: 20_000, durationMs: 6_000 },
};
const lateTransfer: Fault = { ...doubtful, transfers: true, atMs: 40_000 };
const lost: Fault = {
  ...{ kind: "lost-transfer", region: 0, place: 0, leadMs: 800, messageCount: 1, how: "kill", restartMs: 5 },
  ...{ atMs: 30_000, durationMs: 6_000 },
};
const missedMerge: Fault = {
  ...{ kind: "missed-merge", region: 0, at: "a-", place: 0, lateMs: 90, leadMs: 700, cutMs: 500 },
  ...{ atMs: 50_000, durationMs: 6_000 },
};
const lateAnswers: Fault = {
  ...{ kind: "late-answers", region: 0, stepMs: 400, stepCount: 2, leadMs: 1_500, clients: 0b1 },
  ...{ atMs: 60_000, durationMs: 6_500 },
};
const transfer: Fault = { kind: "transfer", region: 0, place: 1, atMs: 0, durationMs: 60_000 };
const faults = [transfer, usurper, doubtful, lost, lateTransfer, missedMerge, lateAnswers];

describe("faults in two stages", () => {
  test("are those that clients are in a hurry for", () => {
    expect(faults.filter(isStaged)).toEqual([
      usurper,
      doubtful,
      lost,
      lateTransfer,
      missedMerge,
      lateAnswers,
    ]);
  });

  test("have the clients write that lose the leader, and all of them what a follower should miss", () => {
    const writersOf = (fault: Fault): boolean[] =>
      isStaged(fault) ? [0, 1, 2].map((place) => writesIn(fault, place)) : [];
    expect(writersOf(usurper)).toEqual([true, false, false]);
    expect(writersOf(doubtful)).toEqual([false, true, false]);
    expect(writersOf(lateAnswers)).toEqual([true, false, false]);
    expect(writersOf(lost)).toEqual([true, true, true]);
    expect(writersOf(missedMerge)).toEqual([true, false, false]);
  });

  test.each([
    [9_999, undefined],
    [10_000, usurper],
    [13_499, usurper],
    [13_500, undefined],
    [20_000, doubtful],
    [22_999, doubtful],
    [23_000, undefined],
    [30_799, lost],
    [30_800, undefined],
    [50_699, missedMerge],
    [50_700, undefined],
    [63_999, lateAnswers],
    [64_000, undefined],
  ])("at %i ms clients are in a hurry because of %o", (nowMs, fault) => {
    expect(stagedFaultAt(faults, nowMs)).toBe(fault);
  });

  test.each([
    [9_699, false],
    [9_700, true],
    [10_999, true],
    [11_000, false],
    [20_200, false],
    [39_699, false],
    [39_700, true],
    [40_499, true],
    [40_500, false],
  ])("at %i ms nothing should be written: %o", (nowMs, isReadOnly) => {
    expect(isReadOnlyAt(faults, nowMs)).toBe(isReadOnly);
  });
});
