import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster, type TestStore } from "./cluster.ts";
import { type CliRun, rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";

/** Of each Region; keys of Region `c` begin with `c`. */
const ROWS_COUNT = 20;
const INITIALS = "abcdefghijkl".split("");
const SETTLE_TIMEOUT_MS = 60_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ storeCount: 5, initialRegions: INITIALS.slice(1).join(",") });
}, 60_000);
afterAll(() => cluster.dispose());

interface StoreJson {
  readonly id: number;
  readonly address: string;
  readonly state: string;
}

interface RegionJson {
  readonly id: number;
  readonly leader: { readonly storeId: number } | null;
  readonly peers: readonly { readonly storeId: number }[];
}

interface Recovered {
  readonly plan: {
    readonly steps: readonly { readonly regionId: number; readonly storeId: number }[];
    readonly healthyRegionCount: number;
    readonly lostRanges: readonly unknown[];
  };
  readonly recovery: { readonly state: string; readonly steps: readonly { readonly state: string }[] };
}

function run(args: readonly string[], stdin = ""): Promise<CliRun> {
  return rdb([...args, "--pd", cluster.pdAddress], stdin);
}

async function ask<Answer>(...args: string[]): Promise<Answer> {
  const { exitCode, stdout, stderr } = await run([...args, "--json"]);
  expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: "" });
  return JSON.parse(stdout) as Answer;
}

async function idOf(store: TestStore): Promise<number> {
  const stores = await ask<StoreJson[]>("store", "list");
  return stores.find(({ address, state }) => address === store.address && state !== "tombstone")?.id ?? 0;
}

const keyOf = (initial: string, at: number): string => `${initial}/${String(at).padStart(3, "0")}`;

describe("two of five Stores are lost for good", () => {
  let lost: TestStore[];
  let lostIds: number[];
  let before: RegionJson[];
  /** Regions that keep two of three peers. */
  let healthy: Set<string>;

  beforeAll(async () => {
    const client = await cluster.connect();
    for (const initial of INITIALS) {
      for (let at = 0; at < ROWS_COUNT; at++) {
        await client.put(keyOf(initial, at), "1");
      }
    }
    lost = cluster.stores.slice(0, 2);
    lostIds = await Promise.all(lost.map(idOf));
    await waitFor("PD to be done with what it evens out", SETTLE_TIMEOUT_MS, async () => {
      return (await ask<unknown[]>("operator", "list")).length === 0;
    });
    before = await ask<RegionJson[]>("region", "list");
    const peersLeft = ({ peers }: RegionJson): number =>
      peers.filter(({ storeId }) => !lostIds.includes(storeId)).length;
    healthy = new Set(INITIALS.filter((_, at) => peersLeft(before[at] as RegionJson) >= 2));
    await Promise.all(lost.map((store) => store.kill()));
  }, 60_000);

  test("nothing is done while a Store that is named answers, or one that is not named is silent", async () => {
    expect(healthy.size).toBeGreaterThan(0);
    expect(healthy.size).toBeLessThan(INITIALS.length);
    const alive = await idOf(cluster.stores[4] as TestStore);
    const wrong = await run(["unsafe-recover", "--lost-stores", String(alive), "--yes"]);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(`store ${alive} is not lost`),
    ]);
    await waitFor("the other lost Store counts as silent", SETTLE_TIMEOUT_MS, async () => {
      const half = await run(["unsafe-recover", "--lost-stores", String(lostIds[0]), "--yes"]);
      expect(half.exitCode).toBe(1);
      return half.stderr.includes(`store ${lostIds[1]} does not answer and is not named`);
    });
    const unknown = await run(["unsafe-recover", "--lost-stores", "99"]);
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining("store 99 is not known")]);
  }, 60_000);

  test("shows what it would do, asks, and does nothing without the answer", async () => {
    const args = ["unsafe-recover", "--lost-stores", lostIds.join(",")];
    const shown = await run([...args, "--dry-run"]);
    expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toContain("What this costs:");
    expect(shown.stdout).toContain(`${healthy.size} Region`);
    const declined = await run(args, "no\n");
    expect([declined.exitCode, declined.stderr]).toEqual([1, expect.stringContaining("nothing was done")]);
    expect(await ask("unsafe-recover", "--show")).toEqual([]);
  }, 60_000);

  test("brings every Region back; all rows are there, and three peers of each again", async () => {
    const args = ["unsafe-recover", "--lost-stores", lostIds.join(",")];
    const { exitCode, stdout, stderr } = await run([...args, "--json"], "2\n");
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("(2) to go on")]);
    const { plan, recovery } = JSON.parse(stdout) as Recovered;
    expect(plan.healthyRegionCount).toBe(healthy.size);
    expect(plan.steps).toHaveLength(INITIALS.length - healthy.size);
    expect(plan.lostRanges).toEqual([]);
    expect(recovery).toMatchObject({ state: "done" });
    expect(new Set(recovery.steps.map(({ state }) => state))).toEqual(new Set(["done"]));
    const client = await cluster.connect();
    for (const initial of INITIALS) {
      for (let at = 0; at < ROWS_COUNT; at++) {
        // Nobody wrote while the Stores were lost: what was acknowledged was known to all peers by then.
        const row = await client.get(keyOf(initial, at));
        expect([
          keyOf(initial, at),
          row === undefined ? undefined : new TextDecoder().decode(row.value),
        ]).toEqual([keyOf(initial, at), "1"]);
      }
      await client.put(keyOf(initial, 0), "2");
    }
    await waitFor("three peers of each Region, none on a lost Store", SETTLE_TIMEOUT_MS, async () => {
      const regions = await ask<RegionJson[]>("region", "list");
      return regions.every(
        ({ peers, leader }) =>
          leader !== null && peers.length === 3 && peers.every(({ storeId }) => !lostIds.includes(storeId)),
      );
    });
    await waitFor("the lost Stores are gone for good", SETTLE_TIMEOUT_MS, async () => {
      const stores = await ask<StoreJson[]>("store", "list");
      return stores.filter(({ id, state }) => lostIds.includes(id) && state === "tombstone").length === 2;
    });
    const again = await run(["unsafe-recover", "--lost-stores", lostIds.join(",")]);
    expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining("nothing to recover")]);
  }, 150_000);

  test("refuses a lost Store that comes back with its data; wiped, it joins as a new one", async () => {
    const [first, second] = lost as [TestStore, TestStore];
    const launched = first.launch();
    expect(await first.ends()).not.toBe(0);
    await launched;
    expect(first.log()).toContain("given up as lost");
    expect(await first.unaryGet(keyOf("a", 0), 1_000)).not.toBe("1");
    await second.kill();
    rmSync(join(cluster.folder, second.plan.name), { recursive: true });
    await second.launch();
    expect(lostIds).not.toContain(await idOf(second));
  }, 60_000);
});
