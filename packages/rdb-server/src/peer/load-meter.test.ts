import { describe, expect, it } from "vitest";
import { LoadMeter } from "./load-meter.ts";

function countsOf(keys: number): () => {
  writtenBytes: number;
  writtenKeys: number;
  readBytes: number;
  readKeys: number;
} {
  return () => ({ writtenBytes: keys * 100, writtenKeys: keys, readBytes: keys * 10, readKeys: keys * 2 });
}

describe("LoadMeter", () => {
  it("comes near a steady rate within seconds, and forgets it as fast", () => {
    const meter = new LoadMeter();
    for (let second = 0; second <= 8; second++) {
      meter.tick(second * 1_000, countsOf(second * 50));
    }
    expect(meter.load.writtenKeysPerSecond).toBeCloseTo(50, 0);
    expect(meter.load.writtenBytesPerSecond).toBeCloseTo(5_000, -2);
    expect(meter.load.readBytesPerSecond).toBeCloseTo(500, -1);
    expect(meter.load.readKeysPerSecond).toBeCloseTo(100, 0);
    for (let second = 9; second <= 18; second++) {
      meter.tick(second * 1_000, countsOf(8 * 50));
    }
    expect(meter.load.writtenKeysPerSecond).toBeLessThan(0.1);
  });

  it("looks once a second, and takes counts that jump back for none", () => {
    const meter = new LoadMeter();
    meter.tick(0, countsOf(1_000));
    meter.tick(999, () => {
      throw new Error("it is not asked between");
    });
    meter.tick(2_000, countsOf(10));
    expect(meter.load.writtenKeysPerSecond).toBe(0);
  });
});
