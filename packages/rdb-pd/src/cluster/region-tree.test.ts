import { type Region, compareEndKeys, compareKeys, formatRange } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { key, region } from "../testing/regions.ts";
import { RegionTree } from "./region-tree.ts";

function treeOf(...regions: readonly Region[]): RegionTree {
  const tree = new RegionTree();
  for (const each of regions) {
    expect(tree.put(each)).toMatchObject({ accepted: true });
  }
  return tree;
}

function show(tree: RegionTree): string[] {
  return tree.all().map((each) => `${each.id} ${formatRange(each)}`);
}

describe("lookup", () => {
  const tree = treeOf(
    region({ id: 3, range: "t-" }),
    region({ id: 1, range: "-m" }),
    region({ id: 2, range: "m-q" }),
  );

  test.each([
    ["", 1],
    ["a", 1],
    ["lzz", 1],
    ["m", 2],
    ["pz", 2],
    ["q", undefined],
    ["s", undefined],
    ["t", 3],
    ["zzz", 3],
  ])("the key %j lies in region %s", (text, id) => {
    expect(tree.holding(key(text))?.id).toBe(id);
  });

  test.each([
    ["", 3],
    ["zz", 3],
    ["t", undefined],
    ["tt", 3],
    ["q", 2],
    ["n", 2],
    ["m", 1],
    ["a", 1],
  ])("what is just below %j lies in region %s", (text, id) => {
    expect(tree.before(key(text))?.id).toBe(id);
  });

  test("nothing is below the lowest key of a tree that does not begin there", () => {
    expect(treeOf(region({ id: 1, range: "c-" })).before(key("c"))).toBeUndefined();
    expect(new RegionTree().before(key(""))).toBeUndefined();
  });

  test("pages follow the keys and tell where the next begins", () => {
    const first = tree.page(key(""), 2);
    expect(first.regions.map((each) => each.id)).toEqual([1, 2]);
    expect(first.next?.id).toBe(3);
    expect(tree.page(first.next?.startKey ?? key(""), 2)).toMatchObject({
      regions: [{ id: 3 }],
      next: undefined,
    });
    expect(tree.page(key("n"), 1).regions.map((each) => each.id)).toEqual([2]);
    expect(tree.page(key("r"), 9).regions.map((each) => each.id)).toEqual([3]);
  });
});

describe("SCENARIOS 58: what is newer wins", () => {
  test("a split's two halves take the place of the whole, in either order", () => {
    const left = region({ id: 1, range: "-m", version: 2 });
    const right = region({ id: 2, range: "m-", version: 2 });
    for (const order of [
      [left, right],
      [right, left],
    ]) {
      const tree = treeOf(region({ id: 1, range: "-" }), ...order);
      expect(show(tree)).toEqual(['1 ["", "m")', '2 ["m", "")']);
    }
  });

  test("a Region of a newer version removes the older ones that it overlaps, and only those", () => {
    const tree = treeOf(
      region({ id: 1, range: "-d" }),
      region({ id: 2, range: "d-m" }),
      region({ id: 3, range: "m-t" }),
      region({ id: 4, range: "t-" }),
    );
    const result = tree.put(region({ id: 2, range: "d-t", version: 3 }));
    expect(result.accepted && result.removed.map((each) => each.id)).toEqual([3]);
    expect(show(tree)).toEqual(['1 ["", "d")', '2 ["d", "t")', '4 ["t", "")']);
  });

  test.each([
    ["a lower version", { id: 1, range: "-", version: 1, confVer: 2 }],
    ["a lower conf_ver", { id: 1, range: "-m", version: 2, confVer: 1 }],
    ["a newer conf_ver at a lower version", { id: 1, range: "-", version: 1, confVer: 9 }],
  ])("%s of the same Region is ignored", (_, sketch) => {
    const tree = treeOf(region({ id: 1, range: "-m", version: 2, confVer: 2 }));
    expect(tree.put(region(sketch))).toMatchObject({
      accepted: false,
      reason: expect.stringContaining("2.2"),
    });
    expect(show(tree)).toEqual(['1 ["", "m")']);
  });

  test.each([1, 2])("another Region over a newer one's keys, at version %i, is ignored", (version) => {
    const tree = treeOf(region({ id: 2, range: "m-", version: 2 }));
    expect(tree.put(region({ id: 1, range: "-", version }))).toMatchObject({
      accepted: false,
      reason: expect.stringContaining("overlaps region 2"),
    });
  });

  test("keys are copied: they do not keep the message alive in which they came", () => {
    const message = Buffer.from("ab-the rest of the message");
    const sent = {
      ...region({ id: 1, range: "a-b" }),
      startKey: message.subarray(0, 1),
      endKey: message.subarray(1, 2),
    };
    const kept = treeOf(sent).get(sent.id);
    expect(kept?.startKey).toEqual(key("a"));
    expect(kept?.startKey.buffer.byteLength).toBe(1);
    expect(kept?.endKey).toEqual(key("b"));
    expect(kept?.endKey.buffer.byteLength).toBe(1);
  });

  test("the same epoch again is accepted", () => {
    const tree = treeOf(region({ id: 1, range: "-" }));
    expect(tree.put(region({ id: 1, range: "-" }))).toEqual({ accepted: true, removed: [] });
    expect(tree.size).toBe(1);
  });

  test("whatever arrives in whatever order, the Regions never overlap and a split history ends as it was", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(999), { maxLength: 12 }), fc.infiniteStream(fc.nat()), (cuts, draws) => {
        const history = splitHistory(cuts);
        const tree = new RegionTree();
        const shuffled = history
          .map((each) => ({ each, order: draws.next().value as number }))
          .toSorted((a, b) => a.order - b.order);
        for (const { each } of shuffled) {
          tree.put(each);
          expectApart(tree.all());
        }
        expect(show(tree)).toEqual(finalRegions(history).map((each) => `${each.id} ${formatRange(each)}`));
      }),
    );
  });
});

function expectApart(regions: readonly Region[]): void {
  for (const [position, each] of regions.entries()) {
    const next = regions[position + 1];
    if (next !== undefined) {
      expect(compareEndKeys(each.endKey, next.startKey)).toBeLessThanOrEqual(0);
      expect(compareKeys(each.startKey, next.startKey)).toBeLessThan(0);
    }
  }
}

/** Every state of every Region while the key space is cut at the given keys, one after the other. */
function splitHistory(cuts: readonly number[]): Region[] {
  const history: Region[] = [region({ id: 1, range: "-" })];
  const tree = treeOf(...history);
  for (const cut of new Set(cuts)) {
    const at = key(`k${String(cut).padStart(3, "0")}`);
    const whole = tree.holding(at) as Region;
    if (compareKeys(whole.startKey, at) < 0) {
      const epoch = { confVer: whole.epoch.confVer, version: whole.epoch.version + 1 };
      const left: Region = { ...region({ id: history.length + 1, range: "-" }), ...whole, endKey: at, epoch };
      const right: Region = {
        ...region({ id: history.length + 1, range: "-" }),
        startKey: at,
        endKey: whole.endKey,
        epoch,
      };
      history.push(left, right);
      tree.put(left);
      tree.put(right);
    }
  }
  return history;
}

function finalRegions(history: readonly Region[]): Region[] {
  const last = new Map(history.map((each) => [each.id, each]));
  return [...last.values()].toSorted((a, b) => compareKeys(a.startKey, b.startKey));
}
