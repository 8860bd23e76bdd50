import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ElasticCluster } from "./elastic/elastic-cluster.ts";
import { SteadyRows, steadyKey } from "./elastic/steady-rows.ts";
import { type CliRun, rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";

const KEYS = 200;
/** Where the Region is cut. */
const CUT = 100;
const SETTLE_TIMEOUT_MS = 30_000;

let cluster: ElasticCluster;
let rows: SteadyRows;
let fourth: bigint;
beforeAll(async () => {
  cluster = await ElasticCluster.start({
    bootstrapStores: 3,
    // Nothing but what is asked for.
    pdConfig: { placement: { regionLimit: 0, leaderLimit: 8, hotRegionLimit: 0, tolerance: 1 } },
    storeConfig: {},
  });
  rows = new SteadyRows(cluster, KEYS);
  await rows.put();
  fourth = await cluster.idOf(await cluster.addStore());
});
afterAll(() => cluster.dispose());

interface RegionJson {
  readonly id: number;
  readonly endKey: string;
  readonly leader: { readonly storeId: number } | null;
  readonly peers: readonly { readonly storeId: number; readonly role: string }[];
}

interface StoreJson {
  readonly id: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaderCount: number;
  readonly evictsLeaders: boolean;
}

/** Runs `rdb` for this cluster. */
function run(...args: string[]): Promise<CliRun> {
  return rdb([...args, "--pd", cluster.pdAddress]);
}

/** What a command that must succeed prints with --json. */
async function ask<Answer>(...args: string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await run(...args, "--json");
  expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Answer;
}

const regions = (): Promise<RegionJson[]> => ask<RegionJson[]>("region", "list");
const storeNow = (id: number): Promise<StoreJson> => ask<StoreJson>("store", "show", String(id));

describe("SPEC-U1, SPEC-M7: rdb and a running cluster", () => {
  test("scatters Regions over all Stores", async () => {
    await ask("region", "split", "1", "--key", steadyKey(CUT));
    const ids = (await regions()).map(({ id }) => String(id));
    expect(ids).toHaveLength(2);
    const operators = await ask<{ state: string; kind: string }[]>("region", "scatter", ...ids);
    expect(new Set(operators.map(({ state }) => state))).toEqual(new Set(["done"]));
    const after = await regions();
    expect(after.flatMap(({ peers }) => peers.map(({ storeId }) => storeId))).toContain(Number(fourth));
    for (const { peers } of after) {
      expect(new Set(peers.map(({ storeId }) => storeId)).size).toBe(3);
      expect(peers.every(({ role }) => role === "voter")).toBe(true);
    }
    const unknown = await run("region", "scatter", "4711");
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("4711")]);
  });

  test("SCENARIO-55: merges Regions whose peers lie on different Stores, while every write succeeds", async () => {
    const [left, right] = (await regions()) as [RegionJson, RegionJson];
    const merge = ["region", "merge", String(right.id), "--into", String(left.id)];
    await rows.expectWritesWhile(() => ask(...merge));
    expect((await regions()).map(({ id, endKey }) => [id, endKey])).toEqual([[left.id, ""]]);
    await rows.expectAll();
    const alone = await run("region", "merge", String(left.id));
    expect(alone.exitCode).toBe(1);
    expect(alone.stderr).toContain("error: ");
  });

  test("says that a peer too many does not last, and it does not", async () => {
    const [region] = (await regions()) as [RegionJson];
    const taken = region.peers.map(({ storeId }) => storeId);
    const free = [1, 2, 3, Number(fourth)].find((id) => !taken.includes(id)) ?? 0;
    const { exitCode, stdout } = await run("region", "add-peer", String(region.id), "--store", String(free));
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`has a peer on Store ${free} now; 4 peers are more than replicas 3`);
    await waitFor("three peers again", SETTLE_TIMEOUT_MS, async () => {
      return ((await regions())[0] as RegionJson).peers.length === 3;
    });
    await rows.expectAll();
  });

  test("labels a Store, and takes a label away", async () => {
    await ask("store", "label", "2", "zone=b", "rack=7");
    expect((await storeNow(2)).labels).toMatchObject({ zone: "b", rack: "7" });
    const { stdout } = await run("store", "label", "2", "rack=");
    expect(stdout).toContain("zone=b");
    expect((await storeNow(2)).labels).not.toHaveProperty("rack");
    expect((await run("store", "label", "2", "zone")).exitCode).toBe(2);
  });

  test("hands all leaderships of a Store away for as long as it is told to", async () => {
    const leader = ((await regions())[0] as RegionJson).leader?.storeId ?? 0;
    await rows.expectWritesWhile(() => ask("store", "evict-leaders", String(leader)));
    expect(await storeNow(leader)).toMatchObject({ leaderCount: 0, evictsLeaders: true });
    expect(((await regions())[0] as RegionJson).leader?.storeId).not.toBe(leader);
    const back = await run("region", "transfer-leader", "1", "--to", String(leader));
    expect([back.exitCode, back.stderr]).toEqual([1, expect.stringContaining("hands its leaderships away")]);
    await ask("store", "evict-leaders", String(leader), "--stop");
    expect(await storeNow(leader)).toMatchObject({ evictsLeaders: false });
  });

  test("pauses a scheduler for some time, lets it work again, and pauses nothing that keeps data safe", async () => {
    const listed = async (name: string): Promise<boolean | undefined> => {
      const all = await ask<{ name: string; isPaused: boolean }[]>("scheduler", "list");
      return all.find((scheduler) => scheduler.name === name)?.isPaused;
    };
    const { stdout } = await run("scheduler", "pause", "balance-leader", "--for", "10m");
    expect(stdout).toMatch(/^balance-leader is paused for (9|10) min/);
    expect(await listed("balance-leader")).toBe(true);
    await ask("scheduler", "resume", "balance-leader");
    expect(await listed("balance-leader")).toBe(false);
    const essential = await run("scheduler", "pause", "replica");
    expect([essential.exitCode, essential.stderr]).toEqual([1, expect.stringContaining("replica")]);
  });

  test("no process ended that was not stopped", () => {
    expect(cluster.unexpectedEnds()).toEqual([]);
  });
});
