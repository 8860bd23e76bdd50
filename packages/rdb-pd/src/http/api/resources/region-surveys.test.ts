import { create } from "@bufbuild/protobuf";
import { ListRegionsResponseSchema, RegionRouteSchema } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import type { ApiSource } from "../endpoint.ts";
import { regionSurveyEndpoints } from "./region-surveys.ts";

type Range = readonly [startKey: string, endKey: string];

/** A PD whose Regions 1, 2 … are these; what it answers at each pass over them, the last for good. */
function sourceOf(...passes: readonly (readonly Range[])[]): ApiSource {
  let passCount = 0;
  const listRegions = () => {
    const ranges = passes[Math.min(passCount++, passes.length - 1)] ?? [];
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const routes = ranges.map(([startKey, endKey], at) =>
      create(RegionRouteSchema, {
        region: { id: BigInt(at + 1), startKey: bytes(startKey), endKey: bytes(endKey) },
        load: { readKeysPerSecond: BigInt(at * 10) },
      }),
    );
    return Promise.resolve(create(ListRegionsResponseSchema, { routes }));
  };
  return { calls: { pd: { listRegions } } } as unknown as ApiSource;
}

async function ask(id: string, source: ApiSource, query: unknown = {}): Promise<unknown> {
  const found = regionSurveyEndpoints.find((each) => each.id === id);
  return found?.answer.parse(await found.handle({ params: {}, query, body: undefined }, source));
}

const hole = { kind: "hole", startKey: "c", endKey: "f", leftRegionId: 1, rightRegionId: 2 };

test.each<[string, Range[], object[]]>([
  [
    "that tile the key space",
    [
      ["", "c"],
      ["c", ""],
    ],
    [],
  ],
  [
    "with a hole between",
    [
      ["", "c"],
      ["f", ""],
    ],
    [hole],
  ],
  [
    "that begin late",
    [["c", ""]],
    [{ kind: "hole", startKey: "", endKey: "c", leftRegionId: null, rightRegionId: 1 }],
  ],
  [
    "that end early",
    [["", "c"]],
    [{ kind: "hole", startKey: "c", endKey: "", leftRegionId: 1, rightRegionId: null }],
  ],
  [
    "that overlap",
    [
      ["", "f"],
      ["c", ""],
    ],
    [{ kind: "overlap", startKey: "c", endKey: "f", leftRegionId: 1, rightRegionId: 2 }],
  ],
  [
    "behind one without an end",
    [
      ["", ""],
      ["c", "d"],
    ],
    [{ kind: "overlap", startKey: "c", endKey: "", leftRegionId: 1 }],
  ],
  [
    "that are none",
    [],
    [{ kind: "hole", startKey: "", endKey: "", leftRegionId: null, rightRegionId: null }],
  ],
])("Regions %s", async (_which, ranges, flaws) => {
  const check = await ask("checkRegions", sourceOf(ranges));
  const isSound = flaws.length === 0;
  expect(check).toMatchObject({ isSound, regionCount: ranges.length, flawCount: flaws.length });
  expect((check as { flaws: object[] }).flaws).toMatchObject(flaws);
});

test("what a split between two pages looks like is no flaw once it is gone", async () => {
  const source = sourceOf(
    [
      ["", "c"],
      ["f", ""],
    ],
    [
      ["", "c"],
      ["c", ""],
    ],
  );
  expect(await ask("checkRegions", source)).toMatchObject({ isSound: true, flaws: [] });
});

test("the hottest Regions come first, and idle ones not at all", async () => {
  const source = sourceOf([
    ["", "c"],
    ["c", "f"],
    ["f", "k"],
    ["k", ""],
  ]);
  const hot = await ask("listHotRegions", source, { by: "readKeys", limit: 2 });
  expect(hot).toMatchObject({ by: "readKeys", regions: [{ id: 4 }, { id: 3 }] });
  expect(await ask("listHotRegions", source, { by: "writtenKeys", limit: 2 })).toMatchObject({ regions: [] });
});
