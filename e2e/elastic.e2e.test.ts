import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestStore } from "./cluster.ts";
import { ElasticCluster } from "./elastic/elastic-cluster.ts";
import { SteadyRows, steadyKey } from "./elastic/steady-rows.ts";
import { unhealedRegions } from "./elastic/verdict.ts";
import { type CliRun, rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";

const KEYS = 200;
const HEAL_TIMEOUT_MS = 60_000;

let cluster: ElasticCluster;
let rows: SteadyRows;
beforeAll(async () => {
  cluster = await ElasticCluster.start({
    bootstrapStores: 3,
    // Nothing but what is asked for.
    pdConfig: { placement: { regionLimit: 0, leaderLimit: 0, hotRegionLimit: 0 } },
    storeConfig: {},
  });
  rows = new SteadyRows(cluster, KEYS);
  await rows.put();
});
afterAll(() => cluster.dispose());

function run(...args: string[]): Promise<CliRun> {
  return rdb([...args, "--pd", cluster.pdAddress, "--json"]);
}

interface RegionJson {
  readonly id: number;
  readonly startKey: string;
  readonly leader: { readonly storeId: number };
  readonly peers: readonly { readonly storeId: number }[];
}

async function regions(): Promise<RegionJson[]> {
  const { stdout } = await run("region", "list");
  return JSON.parse(stdout) as RegionJson[];
}

function expectDone(result: CliRun): void {
  expect(result.stderr).toBe("");
  expect(result.exitCode).toBe(0);
}

describe("SPEC-M7: rdb changes a running cluster", () => {
  test("splits a Region at a key and hands one half's leadership over", async () => {
    expectDone(await run("region", "split", "1", "--key", steadyKey(100)));
    const [left, right] = (await regions()) as [RegionJson, RegionJson];
    expect([left.startKey, right.startKey]).toEqual(["", steadyKey(100)]);
    const to = right.peers.find(({ storeId }) => storeId !== right.leader.storeId)?.storeId ?? 0;
    expectDone(await run("region", "transfer-leader", String(right.id), "--to", String(to)));
    const { leader } = (await regions())[1] as RegionJson;
    expect(leader.storeId).toBe(to);
    await rows.expectAll();
  });

  test("SPEC-C1, SPEC-C2: moves a peer to a Store that joined, while every write succeeds", async () => {
    const fourth = await cluster.idOf(await cluster.addStore());
    const [region] = (await regions()) as [RegionJson];
    const from = region.peers[0]?.storeId ?? 0;
    const move = ["move", String(region.id), "--from", String(from), "--to", String(fourth)];
    await rows.expectWritesWhile(async () => expectDone(await run("region", ...move)));
    const [moved] = (await regions()) as [RegionJson];
    const kept = region.peers.map(({ storeId }) => storeId).filter((id) => id !== from);
    expect(new Set(moved.peers.map(({ storeId }) => storeId))).toEqual(new Set([...kept, Number(fourth)]));
    const again = await run("region", ...move);
    expect(again.exitCode).toBe(1);
    expect(JSON.parse(again.stderr).error.message).toContain(`no peer on store ${from}`);
    await rows.expectAll();
  });

  test("empties a Store, whose process ends in peace then, and nothing is lost", async () => {
    const leaving = cluster.stores[0] as TestStore;
    const id = await cluster.idOf(leaving);
    const end = leaving.ends();
    expectDone(await run("store", "decommission", String(id)));
    expect(await end).toBe(0);
    expect(leaving.log()).toContain(`store ${id} is gone for good: it was decommissioned`);
    await waitFor("three live peers of each Region", HEAL_TIMEOUT_MS, async () => {
      return unhealedRegions(await cluster.look()).length === 0;
    });
    await rows.expectAll();
  });

  test("says for each checker and scheduler what it makes of a Region, and what was done", async () => {
    const { stdout } = await run("operator", "explain", "1");
    const explanations = JSON.parse(stdout) as { source: string; summary: string }[];
    expect(explanations.map(({ source }) => source)).toContain("balance-region");
    expect(explanations.every(({ summary }) => summary !== "")).toBe(true);
    const history = JSON.parse((await run("operator", "history")).stdout) as {
      kind: string;
      state: string;
    }[];
    expect(new Set(history.filter(({ state }) => state === "done").map(({ kind }) => kind))).toEqual(
      new Set(["split", "transfer-leader", "move-peer", "replace-draining-peer"]),
    );
  });

  test("no process ended that was not stopped", () => {
    expect(cluster.unexpectedEnds()).toEqual([]);
  });
});
