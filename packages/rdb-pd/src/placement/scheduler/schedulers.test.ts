import { MiB } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { type StoreRow, TableView } from "../../testing/table-view.ts";
import type { Decision } from "../decision.ts";
import { schedulers } from "../rules.ts";

function explain(name: string, view: TableView, ...region: Parameters<TableView["addRegion"]>): Decision {
  const scheduler = schedulers().find((each) => each.name === name);
  const info = view.addRegion(...region);
  return scheduler?.explain(info, view) ?? { acts: false, summary: `no scheduler ${name}`, ruledOut: [] };
}

function ruledOut({ ruledOut: out }: Decision): string[] {
  return out.map(({ storeId, filter }) => `${storeId} ${filter}`);
}

function having(regionCount: number, leaderCount = 0, rest: StoreRow = {}): StoreRow {
  return { regionCount, leaderCount, regionSizeBytes: regionCount * 64 * MiB, ...rest };
}

describe("balance-leader", () => {
  test("a leadership goes to the follower's Store that leads least, and why", () => {
    const view = new TableView([having(30, 20), having(30, 9), having(30, 5)]);
    expect(explain("balance-leader", view, 1, [1, 2, 3])).toMatchObject({
      acts: true,
      plan: {
        steps: [{ kind: "transfer-leader", fromStoreId: 1, toStoreId: 3 }],
        motive: "store 1 leads 20 regions, store 3 leads 5",
      },
    });
  });

  test("what running operators will change counts already", () => {
    const view = new TableView([
      having(30, 12, { plannedLeaderCount: -2 }),
      having(30, 8, { plannedLeaderCount: 2 }),
      having(30, 10),
    ]);
    const decision = explain("balance-leader", view, 1, [1, 2, 3]);
    expect(decision).toMatchObject({
      acts: false,
      summary: expect.stringContaining("stores lead 10 to 10 regions, 10.0 in the mean"),
    });
    expect(ruledOut(decision)).toEqual(["1 leader", "2 balanced", "3 balanced"]);
  });

  test("a difference of one is none: a transfer would only swap the two", () => {
    const view = new TableView([having(3, 2), having(3, 1), having(3, 1)]);
    expect(explain("balance-leader", view, 1, [1, 2, 3]).acts).toBe(false);
  });

  test.each([
    ["evicts-leaders", { evictsLeaders: true }],
    ["slow", { isSlow: true }],
    ["draining", { isDraining: true }],
    ["disconnected", { condition: "Disconnected" as const }],
  ])("a Store may be ruled out as %s", (filter, row) => {
    const view = new TableView([having(30, 20), having(30, 2, row), having(30, 18)]);
    const decision = explain("balance-leader", view, 1, [1, 2, 3]);
    expect(ruledOut(decision)).toContain(`2 ${filter}`);
  });
});

describe("balance-region", () => {
  test("a peer goes from its heaviest Store to the lightest one, where that is lighter even with it", () => {
    const view = new TableView([having(10), having(14), having(10), having(2)]);
    expect(explain("balance-region", view, 1, [1, 2, 3])).toMatchObject({
      acts: true,
      plan: { motive: "store 2 has 14 regions, 896 MiB; store 4 has 2 regions, 128 MiB" },
    });
  });

  test("an even cluster is left alone, and each Store says why", () => {
    const view = new TableView([having(10), having(10), having(10), having(9)]);
    const decision = explain("balance-region", view, 1, [1, 2, 3]);
    expect(decision.acts).toBe(false);
    expect(ruledOut(decision)).toEqual(["1 has-peer", "2 has-peer", "3 has-peer", "4 balanced"]);
  });

  test("a Store of twice the capacity is not heavier with twice the Regions", () => {
    const view = new TableView([having(10), having(10), having(10), having(5)]);
    const stats = view.stores()[0]?.stats;
    expect(explain("balance-region", view, 1, [1, 2, 3]).acts).toBe(true);
    view.setStore(4, having(5));
    const big = view.stores()[3];
    if (stats !== undefined && big !== undefined) {
      Object.assign(big, { stats: { ...stats, capacityBytes: stats.capacityBytes / 2n } });
    }
    expect(explain("balance-region", view, 1, [1, 2, 3]).acts).toBe(false);
  });

  test("what would bring peers nearer to each other is no balance", () => {
    const at = (zone: string): StoreRow => ({ labels: { zone } });
    const view = new TableView([
      having(20, 0, at("a")),
      having(10, 0, at("b")),
      having(10, 0, at("c")),
      having(0, 0, at("b")),
    ]);
    const decision = explain("balance-region", view, 1, [1, 2, 3]);
    expect(decision.acts).toBe(false);
    expect(ruledOut(decision)).toContain("4 same-zone");
  });

  test("a Region that is not whole is not moved", () => {
    const view = new TableView([having(10), having(10), having(10), having(0)]);
    expect(explain("balance-region", view, 1, [1, 2])).toMatchObject({
      acts: false,
      summary: "it has 2 voters of 2 peers, 3 voters are wanted",
    });
  });
});

describe("evict-slow-store", () => {
  test("a slow Store's leaderships go; when half of all are slow, none do", () => {
    const slow: StoreRow = { isSlow: true };
    const one = new TableView([slow, {}, {}]);
    expect(explain("evict-slow-store", one, 1, [1, 2, 3])).toMatchObject({
      acts: true,
      plan: { motive: "the disk of store 1 is slow", priority: "High" },
    });
    const two = new TableView([slow, slow, {}]);
    expect(explain("evict-slow-store", two, 1, [1, 2, 3])).toMatchObject({
      acts: false,
      summary: "2 of 3 stores are slow: the others cannot take their leaders",
    });
  });
});
