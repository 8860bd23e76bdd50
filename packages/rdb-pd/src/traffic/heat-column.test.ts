import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type HeatColumn,
  type RegionFlow,
  columnOf,
  commonEdges,
  compacted,
  heatKinds,
  mergedInTime,
  projected,
} from "./heat-column.ts";

const SPAN = { startMs: 0, endMs: 60_000 };

const key = (text: string): Uint8Array => new TextEncoder().encode(text);

function flow(startKey: string, writtenKeys: number): RegionFlow {
  return { startKey: key(startKey), writtenBytes: writtenKeys * 10, writtenKeys, readBytes: 0, readKeys: 0 };
}

function shown({ edges, values }: HeatColumn): [string, number][] {
  return edges.map((edge, at) => [new TextDecoder().decode(edge), values.writtenKeys[at] ?? Number.NaN]);
}

describe("a column", () => {
  test("has a bucket for each Region while there are few", () => {
    expect(shown(columnOf([flow("", 1), flow("m", 3)], SPAN, 10))).toEqual([
      ["", 1],
      ["m", 3],
    ]);
  });

  test("begins at the first key, whatever the Regions say", () => {
    expect(shown(columnOf([flow("m", 3)], SPAN, 10))).toEqual([
      ["", 0],
      ["m", 3],
    ]);
    expect(shown(columnOf([], SPAN, 10))).toEqual([["", 0]]);
  });

  test("of too many Regions merges cold neighbours, and leaves hot ones alone", () => {
    const cold = Array.from({ length: 50 }, (_, at) =>
      flow(at === 0 ? "" : `a${String(at).padStart(2, "0")}`, 1),
    );
    const more = Array.from({ length: 49 }, (_, at) => flow(`c${String(at).padStart(2, "0")}`, 1));
    const column = columnOf([...cold, flow("b", 1_000), ...more], SPAN, 5);
    expect(column.edges.length).toBeLessThanOrEqual(5);
    expect(shown(column)).toContainEqual(["b", 1_000]);
  });

  test("in other buckets shares what nobody knows better in equal parts", () => {
    const column = columnOf([flow("", 6), flow("m", 3)], SPAN, 10);
    expect(shown(projected(column, ["", "b", "c", "m"].map(key)))).toEqual([
      ["", 2],
      ["b", 2],
      ["c", 2],
      ["m", 3],
    ]);
    expect(shown(projected(column, [key("")]))).toEqual([["", 9]]);
  });

  test("of several times weighs how long each lasted", () => {
    const early = columnOf([flow("", 10)], { startMs: 0, endMs: 30_000 }, 10);
    const late = columnOf([flow("", 40), flow("m", 4)], { startMs: 30_000, endMs: 40_000 }, 10);
    const merged = mergedInTime([early, late], 10);
    expect(merged).toMatchObject({ startMs: 0, endMs: 40_000 });
    // Three quarters of the time 5 and 5, a quarter of it 40 and 4.
    expect(shown(merged)).toEqual([
      ["", 13.75],
      ["m", 4.75],
    ]);
  });
});

describe("whatever the columns", () => {
  const flows = fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[a-f]{1,4}$/), fc.nat(10_000)), { selector: ([text]) => text })
    .map((pairs) => pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, heat]) => flow(text, heat)));

  const total = ({ values }: HeatColumn): number => values.writtenKeys.reduce((sum, value) => sum + value, 0);
  const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-3 * Math.max(1, a, b);

  test("their buckets are few enough, in order, from the first key on, and nothing of the heat is lost", () => {
    fc.assert(
      fc.property(
        fc.array(flows, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        (lists, maximum) => {
          const columns = lists.map((list, at) =>
            columnOf(list, { startMs: at * 1_000, endMs: (at + 1) * 1_000 }, 1_000),
          );
          const [first, ...rest] = columns as [HeatColumn, ...HeatColumn[]];
          const merged = mergedInTime([first, ...rest], maximum);
          expect(merged.edges.length).toBeLessThanOrEqual(maximum);
          expect(merged.edges[0]).toEqual(new Uint8Array());
          expect(commonEdges([merged])).toEqual(merged.edges);
          const mean = columns.reduce((sum, column) => sum + total(column), 0) / columns.length;
          expect(isClose(total(merged), mean)).toBe(true);
        },
      ),
    );
  });

  test("compacting one that is small enough changes nothing", () => {
    fc.assert(
      fc.property(flows, (list) => {
        const column = columnOf(list, SPAN, 1_000);
        expect(compacted(column, column.edges.length)).toBe(column);
        for (const kind of heatKinds) {
          expect(projected(column, [...column.edges]).values[kind]).toEqual(column.values[kind]);
        }
      }),
    );
  });
});
