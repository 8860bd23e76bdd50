import { HOUR_MS } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { SteadyWallClock } from "./steady-wall-clock.ts";

function made() {
  const time = { wallMs: 1_000_000_000_000, monotonicMs: 5_000 };
  const clock = {
    wallMs: () => time.wallMs,
    monotonicMs: () => time.monotonicMs,
    setTimer: () => ({ cancel: () => {} }),
    setImmediate: () => {},
  };
  const pass = (ms: number): void => {
    time.wallMs += ms;
    time.monotonicMs += ms;
  };
  return { time, pass, steady: new SteadyWallClock(clock) };
}

test("says what the wall clock says while nobody sets it", () => {
  const { time, pass, steady } = made();
  for (const ms of [0, 10, 0.5, HOUR_MS]) {
    pass(ms);
    expect(steady.nowMs()).toBeCloseTo(time.wallMs, 3);
  }
});

test.each([HOUR_MS, -HOUR_MS])(
  "a wall clock that jumps by %i ms and back moves it by next to nothing",
  (jumpMs) => {
    const { time, pass, steady } = made();
    const beganMs = steady.nowMs();
    time.wallMs += jumpMs;
    pass(30_000);
    expect(Math.abs(steady.nowMs() - beganMs - 30_000)).toBeLessThanOrEqual(30);
    time.wallMs -= jumpMs;
    pass(30_000);
    expect(steady.nowMs()).toBeCloseTo(time.wallMs, 3);
  },
);

test("follows a wall clock that stays elsewhere, slowly, and never goes back", () => {
  const { time, pass, steady } = made();
  time.wallMs -= 20_000;
  let lastMs = 0;
  for (let hour = 0; hour < 10; hour++) {
    pass(HOUR_MS);
    const nowMs = steady.nowMs();
    expect(nowMs).toBeGreaterThan(lastMs);
    lastMs = nowMs;
  }
  expect(lastMs).toBeCloseTo(time.wallMs, 3);
});

test("does not jump when nobody asked for days", () => {
  const { time, pass, steady } = made();
  const beganMs = steady.nowMs();
  pass(300 * HOUR_MS);
  time.wallMs += HOUR_MS;
  expect(steady.nowMs() - beganMs - 300 * HOUR_MS).toBe(5_000);
});
