import { expect, test } from "vitest";
import { Latencies } from "../../packages/rdb-cli/src/bench/latencies.ts";
import { plot } from "./plot.ts";
import type { SoakSample } from "./soak-watch.ts";
import { judge } from "./verdict.ts";

const MIB = 2 ** 20;

/** Two looks in each sixth, of which `change` makes something else. */
function samples(change: (at: number) => Partial<SoakSample> = () => ({})): SoakSample[] {
  return Array.from({ length: 12 }, (_, at) => ({
    atMs: (at + 1) * 10_000,
    ...{ latencies: latencies(20), storeBytes: 400 * MIB, pdBytes: 100 * MIB },
    ...{ diskBytes: 200 * MIB, logEntryCount: 5_000 },
    ...change(at),
  }));
}

function latencies(ms: number): Latencies {
  const some = new Latencies();
  some.record(ms);
  return some;
}

const missed = (given: SoakSample[], others = {}): string[] =>
  judge({ samples: given, callCount: 12, errors: {}, unstartedCount: 0, ...others })
    .filter(({ isMet }) => !isMet)
    .map(({ what }) => what);

test("a run in which everything stays as it was meets every goal", () => {
  expect(missed(samples())).toEqual([]);
});

test("what grows after the second sixth is a miss, and what filled up before is none", () => {
  const grow = (at: number): number => (at + 20) * MIB;
  expect(missed(samples((at) => ({ storeBytes: grow(at) })))).toEqual(["resident memory of a Store, MiB"]);
  expect(missed(samples((at) => ({ pdBytes: grow(at) })))).toEqual(["resident memory of PD, MiB"]);
  expect(missed(samples((at) => ({ diskBytes: grow(2 * at) })))).toEqual(["data of a Store, MiB"]);
  expect(missed(samples((at) => ({ logEntryCount: 9_000 + 500 * at })))).toEqual([
    "entries in the logs of a Store",
  ]);
  expect(missed(samples((at) => ({ logEntryCount: 10 ** (at % 4) })))).toEqual([]);
  expect(missed(samples((at) => ({ diskBytes: (at % 3) * MIB })))).toEqual([]);
  expect(missed(samples((at) => ({ storeBytes: at < 2 ? MIB : 400 * MIB })))).toEqual([]);
});

test("a sixth whose p99 is a fifth from the others, calls that failed and calls that never began are misses", () => {
  const p99 = ["p99 of each sixth, ms"];
  expect(missed(samples((at) => ({ latencies: latencies(at >= 10 ? 25 : 20) })))).toEqual(p99);
  expect(missed(samples((at) => ({ latencies: latencies(at >= 10 ? 23 : 20) })))).toEqual([]);
  const failed = ["calls that failed or never began"];
  expect(missed(samples(), { errors: { RDB_TIMEOUT: 1 } })).toEqual(failed);
  expect(missed(samples(), { callCount: 100_000, unstartedCount: 11 })).toEqual(failed);
  expect(missed(samples(), { callCount: 100_000, unstartedCount: 10 })).toEqual([]);
});

test("the plot has a line for each figure, from the first look to the last", () => {
  const svg = plot(samples());
  expect(svg.match(/<polyline/g)).toHaveLength(6);
  expect(svg).toContain("2 min");
});
