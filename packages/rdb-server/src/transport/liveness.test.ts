import { storeId } from "@flaredb/rdb-base";
import { beforeEach, expect, test } from "vitest";
import { Liveness } from "./liveness.ts";

const checkIntervalMs = 100;
const other = storeId(2);
let nowMs = 0;
let events: string[] = [];
let liveness: Liveness;

/** Moves the clock in steps of the check's interval. */
function pass(ms: number): void {
  for (let passed = 0; passed < ms; passed += checkIntervalMs) {
    nowMs += checkIntervalMs;
    liveness.check();
  }
}

beforeEach(() => {
  nowMs = 1_000;
  events = [];
  liveness = new Liveness({
    clock: { monotonicMs: () => nowMs },
    storeSilentMs: 2_000,
    checkIntervalMs,
    events: {
      storeSilent: (id) => events.push(`silent ${id}`),
      storeReturned: (id) => events.push(`returned ${id}`),
    },
  });
});

test("a Store is alive from the first sign of life on", () => {
  liveness.expect(other);
  expect(liveness.isAlive(other)).toBe(false);
  liveness.heard(other, 7n);
  expect(liveness.isAlive(other)).toBe(true);
  expect(events).toEqual(["returned 2"]);
});

test("a Store falls silent after storeSilentMs without a sign, not before, and is told once", () => {
  liveness.heard(other, 7n);
  pass(1_900);
  expect(liveness.isAlive(other)).toBe(true);
  pass(100);
  expect(liveness.isAlive(other)).toBe(false);
  pass(10_000);
  expect(events).toEqual(["returned 2", "silent 2"]);
});

test("each sign of life begins the time anew", () => {
  for (let i = 0; i < 5; i++) {
    liveness.heard(other, 7n);
    pass(1_900);
  }
  expect(events).toEqual(["returned 2"]);
});

test("a silent Store returns", () => {
  liveness.heard(other, 7n);
  pass(3_000);
  liveness.heard(other, 7n);
  expect(liveness.isAlive(other)).toBe(true);
  expect(events).toEqual(["returned 2", "silent 2", "returned 2"]);
});

test("a changed boot id counts as silence, even when no time passed", () => {
  liveness.heard(other, 7n);
  liveness.heard(other, 8n);
  expect(events).toEqual(["returned 2", "silent 2", "returned 2"]);
  expect(liveness.isAlive(other)).toBe(true);
});

test("a Store that was silent and started anew returns once", () => {
  liveness.heard(other, 7n);
  pass(3_000);
  liveness.heard(other, 8n);
  expect(events).toEqual(["returned 2", "silent 2", "returned 2"]);
});

test("a Store that is expected and never heard of is told silent once", () => {
  liveness.expect(other);
  pass(5_000);
  liveness.expect(other);
  pass(5_000);
  expect(events).toEqual(["silent 2"]);
});

test("time in which this process itself stood still does not count", () => {
  liveness.heard(other, 7n);
  pass(1_000);
  nowMs += 60_000;
  liveness.check();
  expect(liveness.isAlive(other)).toBe(true);
  pass(2_000);
  expect(events).toEqual(["returned 2", "silent 2"]);
});

test("a forgotten Store is told no more", () => {
  liveness.heard(other, 7n);
  liveness.forget(other);
  pass(5_000);
  expect(liveness.isAlive(other)).toBe(false);
  expect(events).toEqual(["returned 2"]);
});
