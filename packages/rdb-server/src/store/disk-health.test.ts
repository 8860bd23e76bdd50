import { describe, expect, it } from "vitest";
import { DiskHealth } from "./disk-health.ts";

describe("DiskHealth", () => {
  it("is Ok up to the limit, Slow beyond it, Stalled beyond twice that", () => {
    const health = new DiskHealth(1_000);
    expect(health.observe(1_000, 0)).toBe(false);
    expect(health.level).toBe("Ok");
    health.observe(1_001, 1);
    expect(health.level).toBe("Slow");
    health.observe(2_001, 2);
    expect(health.level).toBe("Stalled");
  });

  it("says once that the disk became slow, so that leaderships are handed over once", () => {
    const health = new DiskHealth(1_000);
    expect(health.observe(1_500, 0)).toBe(true);
    expect(health.observe(1_900, 400)).toBe(false);
    expect(health.observe(2_500, 1_000)).toBe(false);
  });

  it("judges by another limit as soon as there is one", () => {
    const health = new DiskHealth(1_000);
    health.slowDiskMs = 100;
    expect(health.observe(150, 0)).toBe(true);
    health.slowDiskMs = 1_000;
    health.observe(150, 5_000);
    expect(health.level).toBe("Ok");
  });

  it("says so too when it finds the disk stalled at once", () => {
    expect(new DiskHealth(1_000).observe(9_000, 0)).toBe(true);
  });

  it("lets heartbeats go again as soon as the disk moves, but counts it as slow for a while", () => {
    const health = new DiskHealth(1_000);
    health.observe(3_000, 0);
    health.observe(0, 100);
    expect(health.level).toBe("Slow");
    health.observe(0, 4_999);
    expect(health.level).toBe("Slow");
    health.observe(0, 5_000);
    expect(health.level).toBe("Ok");
    expect(health.observe(1_001, 6_000)).toBe(true);
  });
});
