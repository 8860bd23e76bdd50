import { describe, expect, test } from "vitest";
import type { RegionFlow } from "./heat-column.ts";
import { HeatMap, type HeatQuery } from "./heat-map.ts";
import { trafficLimits } from "./limits.ts";

const MINUTE_MS = 60_000;
const key = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function flow(startKey: string, writtenKeys: number): RegionFlow {
  return { startKey: key(startKey), writtenBytes: 0, writtenKeys, readBytes: 0, readKeys: 0 };
}

function query(other: Partial<HeatQuery> = {}): HeatQuery {
  return {
    ...{ kind: "writtenKeys", fromMs: 0, toMs: Number.MAX_SAFE_INTEGER },
    ...{ startKey: key(""), endKey: key(""), columnMaxCount: 100, bucketMaxCount: 100 },
    ...other,
  };
}

/** Two samples each ten seconds, of Regions that are split at `m` in the third ten. */
function halfAMinute(): HeatMap {
  const map = new HeatMap();
  for (let at = 1; at < 6; at++) {
    const ten = Math.floor(at / 2);
    const flows = ten < 2 ? [flow("", 10 * (ten + 1))] : [flow("", 30), flow("m", 2)];
    map.sample(flows, (at - 1) * 5_000, at * 5_000);
  }
  return map;
}

describe("the heat map", () => {
  test("has a column for each ten seconds, and one for those that run", () => {
    const { spans, edges, values } = halfAMinute().view(query());
    expect(spans).toEqual([
      { startMs: 0, endMs: 5_000 },
      { startMs: 5_000, endMs: 15_000 },
      { startMs: 15_000, endMs: 25_000 },
    ]);
    expect(edges.map(text)).toEqual(["", "m", ""]);
    // Of the time before the split nobody knows where in the Region its heat was.
    expect(values).toEqual([
      [5, 5],
      [10, 10],
      [30, 2],
    ]);
  });

  test("has a column for each minute of what is longer ago", () => {
    const map = new HeatMap();
    for (let at = 1; at <= 60 * 6; at++) {
      map.sample([flow("", at)], (at - 1) * 10_000, at * 10_000);
    }
    const whole = map.view(query());
    expect(whole.spans).toHaveLength(61);
    expect(whole.spans[1]).toEqual({ startMs: 50_000, endMs: 110_000 });
    expect(whole.values[1]).toEqual([8.5]);
    const recent = map.view(query({ fromMs: 45 * MINUTE_MS }));
    expect(recent.spans).toHaveLength(90);
    expect(recent.spans[0]).toEqual({ startMs: 45 * MINUTE_MS, endMs: 45 * MINUTE_MS + 10_000 });
  });

  test("is nothing before anything was heard, and outside of what is known", () => {
    expect(new HeatMap().view(query())).toEqual({ spans: [], edges: [key(""), key("")], values: [] });
    expect(halfAMinute().view(query({ fromMs: MINUTE_MS })).values).toEqual([]);
  });

  test("shows a part of the time and of the key space", () => {
    const { spans, values } = halfAMinute().view(query({ fromMs: 20_000, startKey: key("m") }));
    expect([spans.length, values]).toEqual([1, [[2]]]);
    const middle = halfAMinute().view(query({ startKey: key("c"), endKey: key("p") }));
    expect(middle.edges.map(text)).toEqual(["c", "m", "p"]);
  });

  test("merges columns and buckets until they are few enough", () => {
    const { spans, edges, values } = halfAMinute().view(query({ columnMaxCount: 1, bucketMaxCount: 1 }));
    expect([spans.length, edges.map(text)]).toEqual([1, ["", ""]]);
    expect(values[0]?.[0]).toBeCloseTo((10 * 5 + 20 * 10 + 32 * 10) / 25, 3);
  });

  test("forgets the oldest", () => {
    const map = new HeatMap();
    for (let minute = 1; minute <= trafficLimits.columnMaxCount + 10; minute++) {
      map.sample([flow("", minute)], (minute - 1) * MINUTE_MS, minute * MINUTE_MS);
    }
    const { spans } = map.view(query({ columnMaxCount: 10_000 }));
    expect(spans).toHaveLength(trafficLimits.columnMaxCount + 1);
    expect(spans[0]?.startMs).toBe(9 * MINUTE_MS);
  });
});
