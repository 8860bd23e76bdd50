import { describe, expect, it } from "vitest";
import { LogTime } from "./log-time.ts";

describe("LogTime", () => {
  it("follows the monotonic clock from the wall clock at election", () => {
    const time = new LogTime();
    time.start({ wallMs: 1_000_000.7, monotonicMs: 50, lastMs: 0 });
    expect(time.next(50)).toBe(1_000_000);
    expect(time.next(75.9)).toBe(1_000_025);
  });

  it("starts from the last log time when the wall clock is behind it", () => {
    const time = new LogTime();
    time.start({ wallMs: 500, monotonicMs: 0, lastMs: 9_000 });
    expect(time.next(0)).toBe(9_000);
    expect(time.next(10)).toBe(9_010);
  });

  it("goes on from an applied entry that is ahead: its leader's clock was, and the entry was not seen before", () => {
    const time = new LogTime();
    time.start({ wallMs: 1_000, monotonicMs: 0, lastMs: 0 });
    expect(time.next(10)).toBe(1_010);
    time.observe(50_000, 20);
    expect(time.next(20)).toBe(50_000);
    expect(time.next(120)).toBe(50_100);
    time.observe(40_000, 130);
    expect(time.next(130)).toBe(50_110);
  });

  it("never goes back along the log, from leader to leader with any clocks", () => {
    let last = 0;
    for (const wallMs of [100_000, 20_000, 300_000, 0]) {
      const leader = new LogTime();
      leader.start({ wallMs, monotonicMs: 7_000, lastMs: last });
      for (const monotonicMs of [7_000, 7_000, 7_001.5, 7_400]) {
        const next = leader.next(monotonicMs);
        expect(next).toBeGreaterThanOrEqual(last);
        last = next;
      }
    }
  });
});
