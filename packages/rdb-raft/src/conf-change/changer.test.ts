import { index, type PeerId, peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { formatTrackerConfig } from "../describe.ts";
import { EMPTY_CONF_STATE } from "../empty-state.ts";
import type { ConfChangeSingle, ConfChangeType, ConfState } from "../messages.ts";
import { confStateOf, ProgressTracker } from "../progress-tracker.ts";
import { type ChangeResult, Changer } from "./changer.ts";
import { restoreConfig } from "./restore.ts";

const limits = { maxInflightMessages: 4, maxInflightBytes: 0 };
const LETTERS: Record<string, ConfChangeType> = {
  v: "AddNode",
  l: "AddLearnerNode",
  r: "RemoveNode",
  u: "UpdateNode",
};

/** `v1 l2 r3`. */
function changes(text: string): ConfChangeSingle[] {
  return text.split(" ").map((word) => ({
    type: LETTERS[word.charAt(0)] ?? "UpdateNode",
    nodeId: peerId(Number(word.slice(1))),
  }));
}

function tracker(confState: Partial<ConfState>): ProgressTracker {
  const made = new ProgressTracker(limits);
  const result = restoreConfig({ ...EMPTY_CONF_STATE, ...confState }, { limits, lastIndex: index(7) });
  if (result.ok) {
    made.config = result.config;
    made.progress = result.progress;
  }
  return made;
}

const changer = (confState: Partial<ConfState>): Changer =>
  new Changer({ tracker: tracker(confState), lastIndex: index(7) });
const ids = (...values: number[]): PeerId[] => values.map(peerId);
const shown = (result: ChangeResult): string =>
  result.ok ? formatTrackerConfig(result.config) : result.reason;

const joint = { voters: ids(1, 4), votersOutgoing: ids(1, 2, 3), learnersNext: ids(3), learners: ids(5) };

describe("Changer", () => {
  it("changes one voter at a time without a joint configuration", () => {
    expect(shown(changer({ voters: ids(1, 2) }).simple(changes("v3 l4")))).toBe(
      "voters=(1 2 3) learners=(4)",
    );
    expect(shown(changer({ voters: ids(1, 2) }).simple(changes("r1 v3")))).toBe(
      "more than one voter changed without entering joint config",
    );
    expect(shown(changer({ voters: ids(1) }).simple(changes("r1")))).toBe("removed all voters");
  });

  it("goes through a joint configuration otherwise", () => {
    const entered = changer({ voters: ids(1, 2, 3), learners: ids(5) }).enterJoint(true, changes("r2 l3 v4"));
    expect(shown(entered)).toBe("voters=(1 4)&&(1 2 3) learners=(5) learners_next=(3) autoleave");
    expect(shown(changer(joint).leaveJoint())).toBe("voters=(1 4) learners=(3 5)");
  });

  it.each([
    ["config is already joint", (each: Changer) => each.enterJoint(false, changes("v9"))],
    ["can't apply simple config change in joint config", (each: Changer) => each.simple(changes("v9"))],
  ] as const)("refuses in a joint configuration: %s", (reason, change) => {
    expect(change(changer(joint))).toEqual({ ok: false, reason });
  });

  it("refuses to leave a configuration that is not joint, or to make one of nobody", () => {
    expect(shown(changer({ voters: ids(1) }).leaveJoint())).toBe("can't leave a non-joint config");
    expect(shown(changer({}).enterJoint(false, changes("v1")))).toBe("can't make a zero-voter config joint");
  });

  it("leaves the configuration in force as it is", () => {
    const before = tracker({ voters: ids(1, 2, 3) });
    const result = new Changer({ tracker: before, lastIndex: index(7) }).simple(changes("l2 v9"));
    expect(result.ok).toBe(false);
    new Changer({ tracker: before, lastIndex: index(7) }).simple(changes("l2"));
    expect(formatTrackerConfig(before.config)).toBe("voters=(1 2 3)");
    expect(before.progress.get(peerId(2))?.isLearner).toBe(false);
  });

  it("probes new peers at the end of the log, and counts them as heard of", () => {
    const result = changer({ voters: ids(1) }).simple(changes("v2"));
    expect(result.ok && result.progress.get(peerId(2))).toMatchObject({
      state: "StateProbe",
      match: 0,
      next: 7,
      recentActive: true,
    });
  });

  it("finds a configuration that breaks its own rules", () => {
    const broken = tracker({ voters: ids(1, 2) });
    broken.progress.delete(peerId(2));
    expect(shown(new Changer({ tracker: broken, lastIndex: index(7) }).simple(changes("v3")))).toBe(
      "no progress for 2",
    );
  });
});

describe("restoreConfig", () => {
  it.each<{ confState: Partial<ConfState> }>([
    { confState: {} },
    { confState: { voters: ids(1, 2, 3) } },
    { confState: { voters: ids(1, 2, 3), learners: ids(4, 5) } },
    { confState: joint },
    { confState: { ...joint, autoLeave: true } },
    { confState: { voters: ids(4), votersOutgoing: ids(1, 2), autoLeave: true } },
  ])("restores $confState", ({ confState }) => {
    const whole = { ...EMPTY_CONF_STATE, ...confState };
    const result = restoreConfig(whole, { limits, lastIndex: index(7) });
    expect(result.ok && confStateOf(result.config)).toEqual(whole);
  });

  it("refuses a ConfState that cannot have come about", () => {
    const confState = { ...EMPTY_CONF_STATE, voters: ids(1), learners: ids(1) };
    expect(restoreConfig(confState, { limits, lastIndex: index(7) })).toEqual({
      ok: false,
      reason: "removed all voters",
    });
  });
});
