import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { bytes } from "../../testing/index.ts";
import { hasPassed, joinedRegion, mergeProblem, preparedRegion, rolledBackRegion } from "./merge-plan.ts";

function region(id: number, [start, end]: readonly [string, string], version: number): Region {
  return {
    id: regionId(id),
    startKey: bytes(start),
    endKey: bytes(end),
    epoch: { confVer: id, version },
    peers: [1, 2, 3].map((on) => ({ id: peerId(id * 10 + on), storeId: storeId(on), role: "Voter" })),
  };
}

const left = region(1, ["", "m"], 4);
const right = region(2, ["m", ""], 7);

describe("a joined Region", () => {
  it("has both ranges, the target's peers and conf_ver, and a version above both", () => {
    for (const [target, source] of [
      [left, right],
      [right, left],
    ] as const) {
      const joined = joinedRegion(target, source);
      expect(joined).toMatchObject({ id: target.id, peers: target.peers });
      expect(joined.startKey).toEqual(left.startKey);
      expect(joined.endKey).toEqual(right.endKey);
      expect(joined.epoch).toEqual({ confVer: target.epoch.confVer, version: 8 });
    }
  });

  it("rises with each step of a merge, also of one that is rolled back", () => {
    const prepared = preparedRegion(right);
    expect(prepared.epoch.version).toBe(8);
    expect(rolledBackRegion(prepared).epoch.version).toBe(9);
    expect(joinedRegion(left, prepared).epoch.version).toBe(9);
  });
});

describe("a merge", () => {
  it("is of neighbours on the same Stores, in no joint configuration", () => {
    expect(mergeProblem(left, right)).toBeUndefined();
    expect(mergeProblem(right, left)).toBeUndefined();
    expect(mergeProblem(left, left)).toContain("itself");
    expect(mergeProblem(region(3, ["", "g"], 1), right)).toContain("no neighbour");
    // Both have no end on that side: that is no border.
    expect(mergeProblem(region(3, ["p", ""], 1), region(4, ["", "c"], 1))).toContain("no neighbour");
    const elsewhere = {
      ...right,
      peers: right.peers.map((peer) => ({ ...peer, storeId: storeId(peer.storeId + 1) })),
    };
    expect(mergeProblem(left, elsewhere)).toContain("on Stores");
    const fewer = { ...right, peers: right.peers.slice(1) };
    expect(mergeProblem(left, fewer)).toContain("on Stores");
    const joint = {
      ...right,
      peers: right.peers.map((peer) => ({ ...peer, role: "IncomingVoter" as const })),
    };
    expect(mergeProblem(left, joint)).toContain("change of peers");
  });

  it("is over for a target of any later epoch, and for none before", () => {
    const expected = { confVer: 2, version: 5 };
    expect(hasPassed(expected, expected)).toBe(false);
    expect(hasPassed({ confVer: 1, version: 5 }, expected)).toBe(false);
    expect(hasPassed({ confVer: 2, version: 4 }, expected)).toBe(false);
    expect(hasPassed({ confVer: 3, version: 5 }, expected)).toBe(true);
    expect(hasPassed({ confVer: 2, version: 6 }, expected)).toBe(true);
  });
});
