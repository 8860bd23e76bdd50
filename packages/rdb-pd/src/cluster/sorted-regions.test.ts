import { type Region, compareKeys, regionId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SortedRegions } from "./sorted-regions.ts";

/** The Region [at, at + 1). */
function unit(at: number, confVer = 1): Region {
  return {
    id: regionId(at + 1),
    startKey: key(at),
    endKey: key(at + 1),
    epoch: { confVer, version: 1 },
    peers: [],
  };
}

function key(at: number): Uint8Array {
  return new Uint8Array([at >>> 8, at & 0xff]);
}

function from(sorted: SortedRegions, at: number): Region[] {
  return [...sorted.from(sorted.find(({ startKey }) => compareKeys(startKey, key(at)) >= 0))];
}

/** Several chunks of them. */
const COUNT = 3_000;

test("whatever is added, replaced and removed, in whatever order: the order of keys is that of a plain sorted list", () => {
  const action = fc.record({ at: fc.nat(COUNT), kind: fc.constantFrom("add", "add", "remove", "replace") });
  const start = fc.constantFrom("empty", "ascending", "descending");
  fc.assert(
    fc.property(start, fc.array(action, { maxLength: 300 }), fc.nat(COUNT), (filled, actions, probe) => {
      const sorted = new SortedRegions();
      const plain = new Map<number, Region>();
      for (let step = 0; step < (filled === "empty" ? 0 : COUNT); step += 1) {
        const at = filled === "ascending" ? step : COUNT - 1 - step;
        sorted.add(unit(at));
        plain.set(at, unit(at));
      }
      for (const { at, kind } of actions) {
        const known = plain.get(at);
        if (known === undefined) {
          sorted.add(unit(at));
          plain.set(at, unit(at));
        } else if (kind === "remove") {
          sorted.remove(known);
          plain.delete(at);
        } else {
          const newer = unit(at, known.epoch.confVer + 1);
          sorted.replace(known, newer);
          plain.set(at, newer);
        }
      }
      const expected = [...plain.keys()].sort((a, b) => a - b).map((at) => plain.get(at));
      expect(sorted.all()).toEqual(expected);
      expect(sorted.size).toBe(expected.length);
      expect(from(sorted, probe)).toEqual(expected.filter((region) => Number(region?.id) > probe));
      const place = sorted.find(({ startKey }) => compareKeys(startKey, key(probe)) >= 0);
      expect(sorted.before(place)).toEqual(expected.filter((region) => Number(region?.id) <= probe).at(-1));
      expect(sorted.last()).toEqual(expected.at(-1));
    }),
    { numRuns: 50 },
  );
});

test("what is not there cannot be removed", () => {
  const sorted = new SortedRegions();
  sorted.add(unit(3));
  expect(() => sorted.remove(unit(2))).toThrow("the region to remove is where its key says");
});
