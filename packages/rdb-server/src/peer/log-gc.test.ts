import { describe, expect, it } from "vitest";
import { compactTarget } from "./log-gc.ts";

const limits = { maxEntries: 1_000, maxBytes: 1_000_000 };
const view = {
  firstIndex: 101,
  appliedIndex: 500,
  logBytes: 400_000,
  liveMatchIndexes: [500, 500],
  snapshotIndexes: [],
  isAnybodyAway: true,
};

describe("compactTarget", () => {
  it("is what every live follower has", () => {
    expect(compactTarget({ ...view, liveMatchIndexes: [480, 350] }, limits)).toBe(350);
  });

  it("is what is applied when nobody else is alive", () => {
    expect(compactTarget({ ...view, liveMatchIndexes: [] }, limits)).toBe(500);
  });

  it("never goes beyond what is applied", () => {
    expect(compactTarget({ ...view, liveMatchIndexes: [900, 900] }, limits)).toBe(500);
  });

  it("leaves a laggard behind past the limit of entries, or of bytes", () => {
    const behind = { ...view, liveMatchIndexes: [500, 110] };
    expect(compactTarget({ ...behind, appliedIndex: 1_101 }, limits)).toBe(1_101);
    expect(compactTarget({ ...behind, logBytes: 1_000_001 }, limits)).toBe(500);
    expect(compactTarget(behind, limits)).toBeUndefined();
  });

  it("keeps what follows a snapshot under way, until the log is four times its limit", () => {
    const followers = { liveMatchIndexes: [1_800, 0], snapshotIndexes: [1_500] };
    const over = { ...view, ...followers, appliedIndex: 1_800 };
    expect(compactTarget(over, limits)).toBe(1_500);
    expect(compactTarget({ ...over, firstIndex: 1_501 }, limits)).toBeUndefined();
    expect(compactTarget({ ...over, appliedIndex: 4_100 }, limits)).toBe(1_500);
    expect(compactTarget({ ...over, appliedIndex: 4_101 }, limits)).toBe(4_101);
    expect(compactTarget({ ...over, logBytes: 4_000_001 }, limits)).toBe(1_800);
  });

  it("is nothing when too little could go", () => {
    expect(compactTarget({ ...view, liveMatchIndexes: [224] }, limits)).toBeUndefined();
    expect(compactTarget({ ...view, liveMatchIndexes: [225] }, limits)).toBe(225);
    // Few entries, but an eighth of the limit of bytes.
    const large = { ...view, firstIndex: 1, appliedIndex: 4, logBytes: 500_000, liveMatchIndexes: [1] };
    expect(compactTarget(large, limits)).toBe(1);
  });

  it("is more often worth it while nobody is away, by bytes alone", () => {
    const large = { ...limits, maxBytes: 128_000_000 };
    const all = { ...view, logBytes: 1_000_000, liveMatchIndexes: [500], appliedIndex: 200 };
    expect(compactTarget(all, large)).toBeUndefined();
    expect(compactTarget({ ...all, isAnybodyAway: false }, large)).toBe(200);
    expect(compactTarget({ ...all, logBytes: 999_999, isAnybodyAway: false }, large)).toBeUndefined();
    // Under small limits no less than 64 KiB, and no more than an eighth of them.
    const few = { ...all, logBytes: 65_536, isAnybodyAway: false };
    expect(compactTarget(few, limits)).toBe(200);
    expect(compactTarget({ ...few, logBytes: 65_535 }, limits)).toBeUndefined();
    expect(compactTarget({ ...few, logBytes: 125 }, { ...limits, maxBytes: 1_000 })).toBe(200);
  });

  it("is nothing when the log is empty, or a follower has none of it", () => {
    expect(compactTarget({ ...view, appliedIndex: 100, liveMatchIndexes: [100] }, limits)).toBeUndefined();
    expect(compactTarget({ ...view, liveMatchIndexes: [0] }, limits)).toBeUndefined();
  });
});
