import { describe, expect, test } from "vitest";
import type { Fault } from "./fault.ts";
import { isReadOnlyAt, isStaged, stagedFaultAt } from "./staged-faults.ts";

const usurper: Fault = {
  ...{ kind: "usurper", region: 1, place: 0, leadMs: 1_000, restartMs: 5, clients: 0b1 },
  ...{ atMs: 10_000, durationMs: 6_000 },
};
const doubtful: Fault = {
  ...{ kind: "doubtful-leader", region: 0, lateMs: 300, leadMs: 500, transfers: false, place: 0 },
  ...{ cut: "out", clients: 0b10, atMs: 20_000, durationMs: 6_000 },
};
const transfer: Fault = { kind: "transfer", region: 0, place: 1, atMs: 0, durationMs: 60_000 };
const faults = [transfer, usurper, doubtful];

describe("faults in two stages", () => {
  test("are those that aim at a leader", () => {
    expect(faults.filter(isStaged)).toEqual([usurper, doubtful]);
  });

  test.each([
    [9_999, undefined],
    [10_000, usurper],
    [13_499, usurper],
    [13_500, undefined],
    [20_000, doubtful],
    [22_999, doubtful],
    [23_000, undefined],
  ])("at %i ms the leader is in doubt because of %o", (nowMs, fault) => {
    expect(stagedFaultAt(faults, nowMs)).toBe(fault);
  });

  test.each([
    [9_699, false],
    [9_700, true],
    [10_999, true],
    [11_000, false],
    [20_200, false],
  ])("at %i ms nothing should be written: %o", (nowMs, isReadOnly) => {
    expect(isReadOnlyAt(faults, nowMs)).toBe(isReadOnly);
  });
});
