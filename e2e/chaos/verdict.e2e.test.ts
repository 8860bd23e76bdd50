import { describe, expect, test } from "vitest";
import { GapTracker } from "./gap-tracker.ts";
import { type EndedFault, type Findings, judge, limits } from "./verdict.ts";

const fault: EndedFault = {
  name: "kill-leader",
  text: "kill -9 of store-1",
  fromMs: 0,
  toMs: 1_000,
  backMs: 50,
  recoveryMs: 100,
  gapMs: 0,
};

const good: Findings = {
  anomalies: [],
  lost: [],
  differing: [],
  troubles: [],
  givenUp: [],
  faults: [fault],
  longestGapMs: 100,
  acknowledgedCount: 1_000,
  checkedCallCount: 1_000,
};

function broken(change: Partial<Findings>): string[] {
  return judge({ ...good, ...change })
    .filter(({ isKept }) => !isKept)
    .map(({ what }) => what.split(" ")[0] as string);
}

describe("the verdict", () => {
  test("is good when all is as promised", () => {
    expect(broken({})).toEqual([]);
  });

  test.each([
    ["anomalies", { anomalies: ["a stale read"] }],
    ["anomalies", { checkedCallCount: 0 }],
    ["acknowledged", { lost: ["b/1 is missing"] }],
    ["acknowledged", { acknowledgedCount: 0 }],
    ["Regions", { differing: ["Region 2"] }],
    ["longest", { longestGapMs: limits.gapMs }],
    ["ends", { troubles: ["store-1 ended"] }],
    ["writes", { givenUp: ["b/1: too late"] }],
  ] as const)("%s: tells %o", (what, change) => {
    expect(broken(change)).toEqual([what]);
  });

  test("a slow recovery counts, and one that never was", () => {
    const slow = { ...fault, recoveryMs: limits.recoveryMs };
    expect(broken({ faults: [slow, fault] })).toEqual(["slowest"]);
    expect(broken({ faults: [fault, { ...fault, recoveryMs: undefined }] })).toEqual(["recovery", "slowest"]);
  });
});

test("where times do not count, all else does, and that writes resume at all", () => {
  const slow = { ...fault, recoveryMs: 10 * limits.recoveryMs };
  const untimed = (change: Partial<Findings>): boolean =>
    judge({ ...good, ...change }, false).every(({ isKept }) => isKept);
  const late = { longestGapMs: 10 * limits.gapMs, faults: [slow], givenUp: ["b/1: too late"] };
  expect(untimed(late)).toBe(true);
  expect(untimed({ faults: [{ ...fault, recoveryMs: undefined }, slow] })).toBe(false);
  expect(untimed({ lost: ["b/1 is missing"] })).toBe(false);
});

describe("gaps", () => {
  test("count between acknowledgements, and while one lasts", () => {
    const gaps = new GapTracker();
    expect(gaps.longestMs(50)).toBe(0);
    gaps.acknowledged(100);
    gaps.acknowledged(400);
    gaps.acknowledged(500);
    expect(gaps.longestMs(600)).toBe(300);
    expect(gaps.longestMs(2_500)).toBe(2_000);
  });

  test("do not count while no majority is up, nor until the first write after it", () => {
    const gaps = new GapTracker();
    gaps.acknowledged(0);
    gaps.majorityLost(200);
    gaps.acknowledged(5_000);
    gaps.majorityIsBack();
    expect(gaps.longestMs(20_000)).toBe(200);
    gaps.acknowledged(20_000);
    gaps.acknowledged(20_900);
    expect(gaps.longestMs(20_900)).toBe(900);
  });

  test("are told by themselves from a mark on", () => {
    const gaps = new GapTracker();
    gaps.acknowledged(0);
    gaps.acknowledged(3_000);
    gaps.mark();
    gaps.acknowledged(3_100);
    expect(gaps.longestSinceMarkMs(3_150)).toBe(100);
    expect(gaps.longestSinceMarkMs(4_000)).toBe(900);
    expect(gaps.longestMs(4_000)).toBe(3_000);
  });
});
