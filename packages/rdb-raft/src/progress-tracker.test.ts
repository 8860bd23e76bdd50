import { index, type PeerId, peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { restoreConfig } from "./conf-change/restore.ts";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import type { ConfState } from "./messages.ts";
import { ProgressTracker } from "./progress-tracker.ts";

const limits = { maxInflightMessages: 4, maxInflightBytes: 0 };
const ids = (...values: number[]): PeerId[] => values.map(peerId);

/** A tracker whose peers have acknowledged the given indexes. */
function tracker(confState: Partial<ConfState>, matches: Record<number, number> = {}): ProgressTracker {
  const made = new ProgressTracker(limits);
  const result = restoreConfig({ ...EMPTY_CONF_STATE, ...confState }, { limits, lastIndex: index(9) });
  if (result.ok) {
    made.config = result.config;
    made.progress = result.progress;
  }
  for (const [id, match] of Object.entries(matches)) {
    made.progress.get(peerId(Number(id)))?.maybeUpdate(index(match));
  }
  return made;
}

describe("ProgressTracker", () => {
  it("commits what a majority of the voters has; learners do not count", () => {
    expect(tracker({ voters: ids(1, 2, 3) }, { 1: 9, 2: 5 }).committed()).toBe(5);
    expect(tracker({ voters: ids(1, 2, 3), learners: ids(4) }, { 1: 9, 4: 9 }).committed()).toBe(0);
    expect(tracker({ voters: ids(1, 2), votersOutgoing: ids(2, 3) }, { 1: 9, 2: 7, 3: 4 }).committed()).toBe(
      4,
    );
  });

  it("is active while it hears of a quorum of voters", () => {
    const group = tracker({ voters: ids(1, 2, 3), learners: ids(4) });
    expect(group.quorumActive()).toBe(true);
    const silence = (id: number): void => {
      const progress = group.progress.get(peerId(id));
      if (progress !== undefined) {
        progress.recentActive = false;
      }
    };
    silence(1);
    expect(group.quorumActive()).toBe(true);
    silence(2);
    expect(group.quorumActive()).toBe(false);
  });

  it("counts the first vote of each voter", () => {
    const group = tracker({ voters: ids(1, 2, 3), learners: ids(4) });
    group.recordVote(peerId(1), false);
    group.recordVote(peerId(1), true);
    group.recordVote(peerId(4), true);
    group.recordVote(peerId(2), true);
    expect(group.tallyVotes()).toEqual({ granted: 1, rejected: 1, result: "VotePending" });
    group.recordVote(peerId(3), true);
    expect(group.tallyVotes()).toEqual({ granted: 2, rejected: 1, result: "VoteWon" });
    group.resetVotes();
    expect(group.tallyVotes()).toEqual({ granted: 0, rejected: 0, result: "VotePending" });
  });

  it("visits peers in ascending order, and knows a group of one", () => {
    const group = tracker({ voters: ids(30, 4, 100), learners: ids(5) });
    expect(group.ids).toEqual([4, 5, 30, 100]);
    expect(group.isSingleton()).toBe(false);
    expect(tracker({ voters: ids(1), learners: ids(2) }).isSingleton()).toBe(true);
    expect(tracker({ voters: ids(1), votersOutgoing: ids(1) }).isSingleton()).toBe(false);
  });
});
