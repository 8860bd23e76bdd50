import { newMessage } from "@flaredb/rdb-raft";
import { expect, test } from "vitest";
import { StaleWatch } from "./stale-watch.ts";

test("a peer asks once in the time that makes it stale, and again after as long", () => {
  const watch = new StaleWatch(1_000, 0);
  expect([500, 999, 1_000, 1_001, 1_999, 2_000].map((nowMs) => watch.shouldAsk(nowMs))).toEqual([
    ...[false, false, true],
    ...[false, false, true],
  ]);
});

test("where there is reason to, it asks after three seconds, and again after as long", () => {
  const watch = new StaleWatch(300_000, 0);
  expect([2_999, 3_000, 3_001, 5_999, 6_000].map((nowMs) => watch.shouldAsk(nowMs, true))).toEqual([
    ...[false, true, false],
    ...[false, true],
  ]);
  expect(watch.shouldAsk(305_999)).toBe(false);
  expect(watch.shouldAsk(306_000)).toBe(true);
});

test("only a leader's word counts as contact: those of other peers that were removed do not", () => {
  for (const [type, isContact] of [
    ["MsgApp", true],
    ["MsgHeartbeat", true],
    ["MsgSnap", true],
    ["MsgVote", false],
    ["MsgPreVote", false],
    ["MsgAppResp", false],
  ] as const) {
    const watch = new StaleWatch(1_000, 0);
    watch.heard(newMessage({ type }), 900);
    expect({ type, asks: watch.shouldAsk(1_000) }).toEqual({ type, asks: !isContact });
  }
});
