import { SeededRandom } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { Backoff, type BackoffReason, backoffMs } from "./backoff.ts";

describe("Backoff", () => {
  test.each(Object.keys(backoffMs) as BackoffReason[])(
    "%s: grows from its shortest to its longest",
    (reason) => {
      const { minMs, maxMs } = backoffMs[reason];
      for (let seed = 0; seed < 50; seed++) {
        const backoff = new Backoff(new SeededRandom(seed));
        const pauses = Array.from({ length: 12 }, () => backoff.nextMs(reason));
        expect(Math.min(...pauses)).toBeGreaterThanOrEqual(minMs);
        expect(Math.max(...pauses)).toBeLessThanOrEqual(maxMs);
        expect(pauses[0]).toBeLessThan(minMs * 2);
        expect(pauses[11]).toBeGreaterThanOrEqual(maxMs / 2);
        expect(backoff.count(reason)).toBe(12);
      }
    },
  );

  test("callers that fail together do not come back together", () => {
    const pauses = Array.from({ length: 100 }, (_, seed) => {
      const backoff = new Backoff(new SeededRandom(seed));
      backoff.nextMs("busy");
      return Math.round(backoff.nextMs("busy"));
    });
    expect(new Set(pauses).size).toBeGreaterThan(20);
  });

  test("each reason counts for itself", () => {
    const backoff = new Backoff(new SeededRandom(1));
    for (let count = 0; count < 10; count++) {
      backoff.nextMs("rpc");
    }
    expect(backoff.nextMs("regionMiss")).toBeLessThan(4);
  });

  test("a told pause is kept to, and bounded", () => {
    const backoff = new Backoff(new SeededRandom(1));
    for (let count = 0; count < 50; count++) {
      const pauseMs = backoff.nextMs("busy", 300);
      expect(pauseMs).toBeGreaterThanOrEqual(300);
      expect(pauseMs).toBeLessThanOrEqual(450);
    }
    expect(backoff.nextMs("busy", 1e9)).toBeLessThanOrEqual(15_000);
  });
});
