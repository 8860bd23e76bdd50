import { spawnSync } from "node:child_process";
import { MiB } from "@flaredb/rdb-base";
import { expect, it } from "vitest";
import { growthPercent } from "./garbage-collection.ts";

interface Collections {
  readonly full: number;
  readonly young: number;
}

/**
 * A process that keeps so much, and makes buffers of which each lives for a moment, as a follower does.
 *
 * @returns how often it collected its garbage
 */
function collections(isTuned: boolean, keptMiB: number): Collections {
  const module = new URL("garbage-collection.ts", import.meta.url).href;
  const program = `
    const { PerformanceObserver } = await import("node:perf_hooks");
    const { tuneGarbageCollection } = await import(${JSON.stringify(module)});
    ${isTuned ? "tuneGarbageCollection();" : ""}
    const counts = { full: 0, young: 0 };
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) {
        counts.full += detail.kind === 4 ? 1 : 0;
        counts.young += detail.kind === 1 ? 1 : 0;
      }
    }).observe({ entryTypes: ["gc"] });
    const kept = Array.from({ length: ${keptMiB} * 8_192 }, (_, at) => ({ at, more: [at] }));
    let last = [];
    for (let round = 0; round < 1_500; round++) {
      last = Array.from({ length: 100 }, () => new Uint8Array(16_384));
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(JSON.stringify({ ...counts, kept: kept.length + last.length }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  // V8 says here what flag it does not know, and goes on.
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Collections;
}

it("everything is collected less than half as often as by itself for garbage that is outside of a small heap", () => {
  const { full } = collections(true, 16);
  expect(full).toBeLessThan(collections(false, 16).full / 2);
});

it("a heap of which much is alive does not become a multiple of itself by our wish", () => {
  expect(growthPercent(40 * MiB)).toBe(400);
  expect(growthPercent(96 * MiB)).toBe(0);
});
