import { type Region, compareKeys, peerId, rangesOverlap, regionId, storeId } from "@flaredb/rdb-base";
import type { SplitCommand } from "@flaredb/rdb-proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes } from "../../testing/index.ts";
import { SPLIT_MAX_COUNT, type SplitPlan, planSplit, splitBody, splitKeysProblem } from "./split-plan.ts";

const parent: Region = {
  id: regionId(1),
  startKey: bytes("b"),
  endKey: bytes("y"),
  epoch: { confVer: 4, version: 7 },
  peers: [
    { id: peerId(11), storeId: storeId(3), role: "Voter" },
    { id: peerId(12), storeId: storeId(1), role: "Voter" },
    { id: peerId(13), storeId: storeId(2), role: "Learner" },
  ],
};

function command(keys: readonly Uint8Array[], peerCount = parent.peers.length, firstId = 100): SplitCommand {
  const ids = keys.map((_, place) => ({
    regionId: regionId(firstId + place * 10),
    peerIds: Array.from({ length: peerCount }, (__, at) => peerId(firstId + place * 10 + at + 1)),
  }));
  const body = splitBody(keys, ids);
  return body.value as SplitCommand;
}

describe("planSplit", () => {
  it("keeps the first part, and gives the rest to new Regions of the same peers, Stores and roles", () => {
    const plan = planSplit(parent, command([bytes("g"), bytes("m")])) as SplitPlan;
    expect(plan.parent).toEqual({ ...parent, endKey: bytes("g"), epoch: { confVer: 4, version: 9 } });
    expect(plan.children).toMatchObject([
      { id: 100, startKey: bytes("g"), endKey: bytes("m"), epoch: { confVer: 4, version: 9 } },
      { id: 110, startKey: bytes("m"), endKey: bytes("y"), epoch: { confVer: 4, version: 9 } },
    ]);
    expect(plan.children[1]?.peers).toEqual([
      { id: 111, storeId: 3, role: "Voter" },
      { id: 112, storeId: 1, role: "Voter" },
      { id: 113, storeId: 2, role: "Learner" },
    ]);
  });

  it("SPEC-S2: what it makes tiles the old range, whatever the keys, or nothing is made", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 6 }), (keys) => {
        const plan = planSplit(parent, command(keys));
        expect(planSplit(parent, command(keys))).toEqual(plan);
        if (typeof plan === "string") {
          expect(splitKeysProblem(parent, keys)).toBe(plan);
          return;
        }
        const parts = [plan.parent, ...plan.children];
        expect(parts[0]?.startKey).toEqual(parent.startKey);
        expect(parts.at(-1)?.endKey).toEqual(parent.endKey);
        for (const [place, part] of parts.entries()) {
          expect(compareKeys(part.startKey, part.endKey)).toBeLessThan(0);
          expect(part.startKey).toEqual(place === 0 ? parent.startKey : parts[place - 1]?.endKey);
          expect(parts.slice(place + 1).some((other) => rangesOverlap(part, other))).toBe(false);
          expect(part.epoch.version).toBe(parent.epoch.version + keys.length);
        }
      }),
    );
  });

  it.each([
    ["no key", command([])],
    ["a key at the start", command([bytes("b")])],
    ["a key at the end", command([bytes("y")])],
    ["a key before", command([bytes("a")])],
    ["keys that fall", command([bytes("m"), bytes("g")])],
    ["a key twice", command([bytes("m"), bytes("m")])],
    ["too few peer ids", command([bytes("m")], 2)],
    ["too many peer ids", command([bytes("m")], 4)],
    ["its own id", command([bytes("m")], 3, 1)],
    ["a peer's id of its own", command([bytes("m")], 3, 10)],
    ["no ids", command([bytes("m")], 3, 0)],
    [
      "too many parts",
      command(Array.from({ length: SPLIT_MAX_COUNT + 1 }, (_, at) => Uint8Array.of(100, at))),
    ],
  ])("refuses %s, on every peer alike", (_what, wanted) => {
    expect(planSplit(parent, wanted)).toBeTypeOf("string");
  });

  it("refuses an id beyond what a number holds", () => {
    const wanted = command([bytes("m")]);
    const newRegions = wanted.newRegions.map((child) => ({ ...child, regionId: 2n ** 60n }));
    expect(planSplit(parent, { ...wanted, newRegions })).toBeTypeOf("string");
  });
});
