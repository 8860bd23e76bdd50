import { describe, expect, test } from "vitest";
import {
  counted,
  formatAgo,
  formatBytes,
  formatCount,
  formatLatency,
  formatShare,
  formatSpan,
} from "./format.ts";

describe("figures", () => {
  test.for([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.00 KiB"],
    [1536 * 1024, "1.50 MiB"],
    [1024 ** 3 * 99.96, "100 GiB"],
    // Never "1024 KiB".
    [1024 ** 2 - 1, "1.00 MiB"],
  ] as const)("%d bytes are %s", ([bytes, text]) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test.for([
    [0, "0"],
    [0.25, "0.3"],
    [9480, "9,480"],
    [12_345, "12.3k"],
    [999_999, "1.00M"],
  ] as const)("a count of %d is %s", ([count, text]) => {
    expect(formatCount(count)).toBe(text);
  });

  test.for([
    [0.824, "0.82 ms"],
    [43.96, "44.0 ms"],
    [1200, "1.20 s"],
  ] as const)("%d ms are %s", ([ms, text]) => {
    expect(formatLatency(ms)).toBe(text);
  });

  test.for([
    [450, "450 ms"],
    [45_000, "45 s"],
    [60_000, "1 min"],
    [12_000_000, "3 h 20 min"],
    // Seconds say nothing any more.
    [11 * 60_000 + 5_000, "11 min"],
    [86_400_000 * 2.5, "2 d 12 h"],
  ] as const)("a span of %d ms is %s", ([ms, text]) => {
    expect(formatSpan(ms)).toBe(text);
  });

  test("a moment of a clock that is ahead is now, and one that never was is never", () => {
    expect(formatAgo(5_000, 4_000)).toBe("now");
    expect(formatAgo(0, 4_000)).toBe("never");
    expect(formatAgo(1_000, 61_000)).toBe("1 min ago");
  });

  test("a part of nothing is nothing", () => {
    expect(formatShare(0, 0)).toBe("0 %");
    expect(formatShare(1, 40)).toBe("2.5 %");
    expect(formatShare(1, 3)).toBe("33 %");
  });

  test("one is singular", () => {
    expect([counted(1, "Region"), counted(5000, "Region")]).toEqual(["1 Region", "5,000 Regions"]);
  });
});
