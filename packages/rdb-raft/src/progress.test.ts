import { index } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { Inflights } from "./inflights.ts";
import { Progress } from "./progress.ts";

function newProgress(match: number, next: number, maxInflight = 4): Progress {
  return new Progress({
    match: index(match),
    next: index(next),
    inflights: new Inflights(maxInflight, 0),
    isLearner: false,
    recentActive: true,
  });
}

describe("Progress", () => {
  it("pauses a probe after one message with entries, until an answer", () => {
    const progress = newProgress(1, 2);
    progress.sentEntries(0, 0);
    expect(progress.isPaused()).toBe(false);
    progress.sentEntries(1, 10);
    expect(progress).toMatchObject({ next: 2, msgAppFlowPaused: true });
    expect(progress.maybeUpdate(index(2))).toBe(true);
    expect(progress).toMatchObject({ match: 2, next: 3, msgAppFlowPaused: false });
  });

  it("replicates ahead of the answers until its window is full", () => {
    const progress = newProgress(1, 9, 2);
    progress.becomeReplicate();
    expect(progress.next).toBe(2);
    progress.sentEntries(3, 30);
    expect(progress).toMatchObject({ next: 5, match: 1 });
    expect(progress.isPaused()).toBe(false);
    progress.sentEntries(1, 10);
    expect(progress.isPaused()).toBe(true);
    progress.maybeUpdate(index(4));
    progress.inflights.freeUpTo(index(4));
    expect(progress.isPaused()).toBe(false);
    expect(progress.inflights.count).toBe(1);
  });

  it("sends nothing while it waits for a snapshot, and probes behind it afterwards", () => {
    const progress = newProgress(1, 2);
    progress.becomeSnapshot(index(10));
    expect(progress.isPaused()).toBe(true);
    expect(() => progress.sentEntries(1, 1)).toThrow(/snapshot/);
    progress.becomeProbe();
    expect(progress).toMatchObject({ state: "StateProbe", next: 11, pendingSnapshot: 0 });
  });

  it("probes where it was when the snapshot failed", () => {
    const progress = newProgress(1, 2);
    progress.becomeSnapshot(index(10));
    progress.pendingSnapshot = index(0);
    progress.becomeProbe();
    expect(progress.next).toBe(2);
  });

  it("takes no acknowledgement twice", () => {
    const progress = newProgress(5, 9);
    expect(progress.maybeUpdate(index(5))).toBe(false);
    expect(progress.maybeUpdate(index(7))).toBe(true);
    expect(progress).toMatchObject({ match: 7, next: 9 });
  });

  it.each([
    {
      name: "a stale one while replicating",
      replicate: true,
      rejected: 5,
      hint: 5,
      decreased: false,
      next: 10,
    },
    { name: "one while replicating", replicate: true, rejected: 6, hint: 2, decreased: true, next: 6 },
    { name: "of another probe", replicate: false, rejected: 7, hint: 2, decreased: false, next: 10 },
    { name: "of the probe", replicate: false, rejected: 9, hint: 7, decreased: true, next: 8 },
    {
      name: "of the probe with a hint behind it",
      replicate: false,
      rejected: 9,
      hint: 20,
      decreased: true,
      next: 9,
    },
    {
      name: "of the probe with a hint before the match",
      replicate: false,
      rejected: 9,
      hint: 2,
      decreased: true,
      next: 6,
    },
  ])("takes a rejection, $name", ({ replicate, rejected, hint, decreased, next }) => {
    const progress = newProgress(5, 10);
    if (replicate) {
      progress.becomeReplicate();
      progress.sentEntries(4, 4);
    }
    progress.msgAppFlowPaused = true;
    expect(progress.maybeDecreaseTo(index(rejected), index(hint))).toBe(decreased);
    expect(progress.next).toBe(next);
    expect(progress.msgAppFlowPaused).toBe(replicate || !decreased);
  });

  it("knows whether a commit index is news to the follower", () => {
    const progress = newProgress(5, 6);
    progress.becomeReplicate();
    progress.sentEntries(3, 3);
    progress.sentCommit(index(6));
    expect(progress.canBumpCommit(index(6))).toBe(false);
    expect(progress.canBumpCommit(index(7))).toBe(true);
    // All that was sent is committed there already; more cannot be.
    progress.sentCommit(index(8));
    expect(progress.canBumpCommit(index(9))).toBe(false);
    // The probe starts before what was sent, and the commit index may be lost with it.
    progress.becomeProbe();
    progress.becomeReplicate();
    progress.sentEntries(3, 3);
    expect(progress.canBumpCommit(index(8))).toBe(true);
  });

  it("forgets everything but its role when the term changes", () => {
    const progress = newProgress(5, 6);
    progress.isLearner = true;
    progress.becomeReplicate();
    progress.sentEntries(1, 1);
    progress.sentCommit(index(5));
    progress.reset(index(0), index(12));
    expect(progress).toMatchObject({
      state: "StateProbe",
      match: 0,
      next: 12,
      isLearner: true,
      recentActive: false,
    });
    expect(progress.inflights.count).toBe(0);
    expect(progress.canBumpCommit(index(1))).toBe(true);
  });
});
