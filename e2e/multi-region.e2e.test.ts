import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everyStoreHasEverything } from "./caught-up.ts";
import { TestCluster, type TestStore } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

/** In `npm test` a tenth of what `.ci/run` writes. */
const PUTS_MIN = Number(process.env["FLAREDB_E2E_PUTS"] ?? 10_000);
const PREFIXES = ["apple/", "zebra/"] as const;

/** After a kill writes to the Region go on within this. */
const RESUME_MAX_MS = 3_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({
    initialRegions: "m",
    // Its entries would be counted among the writes'.
    storeConfig: { logGc: { checkIntervalMs: 600_000 } },
  });
});
afterAll(() => cluster.dispose());

// One cluster for all, in this order: the tests use keys of their own, and the last one does the damage.
describe("two Regions", () => {
  test("SPEC-M1: Stores without Region configuration get the initial Regions from PD, each with a leader", async () => {
    const regions = await cluster.regions();
    expect(regions.map(({ region }) => Buffer.from(region?.startKey ?? []).toString())).toEqual(["", "m"]);
    for (const route of regions) {
      expect(new Set(route.region?.peers.map((peer) => peer.storeId)).size).toBe(3);
      expect(route.leader).toBeDefined();
    }
  });

  test("SPEC-M1: each takes writes, and has a peer on every Store", async () => {
    const client = await cluster.connect();
    await Promise.all([client.put("apple", "1"), client.put("zebra", "2")]);
    for (const store of cluster.stores) {
      expect(await regionsOn(store)).toHaveLength(2);
    }
  });

  test("SPEC-M3: a key is where its Region is, a scan goes over both, and nothing of one is in the other", async () => {
    const client = await cluster.connect();
    const keys = ["l", "lzzz", "m", "m0", "mz"];
    const range = { start: "l", end: "n" };
    await Promise.all(keys.map((key) => client.put(key, `value of ${key}`)));
    const found = await client.scan(range).toArray();
    expect(found.map((row) => [row.keyText(), row.text()])).toEqual(
      keys.map((key) => [key, `value of ${key}`]),
    );
    const backwards = await client.scanReverse(range).toArray();
    expect(backwards.map((row) => row.keyText())).toEqual(keys.toReversed());
    const low = await client.scan({ ...range, end: "m" }).toArray();
    expect(low.map((row) => row.keyText())).toEqual(["l", "lzzz"]);
  });

  test("SPEC-M4: writes to one Region do not move the other's log; a restart mixes nothing", async () => {
    const client = await cluster.connect();
    await Promise.all([client.put("apple", "low"), client.put("zebra", "high")]);
    const store = await cluster.leaderOf("zebra");
    // It follows the other Region, and hears what is committed there some ticks later.
    await everyStoreHasEverything(cluster);
    const before = await appliedIndexes(store);
    for (let i = 0; i < 20; i++) {
      await client.put("zebra", String(i));
    }
    const after = await appliedIndexes(store);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe((before[1] ?? 0) + 20);

    await Promise.all(cluster.stores.map((each) => each.kill()));
    await Promise.all(cluster.stores.map((each) => each.launch()));
    const rows = await client.batchGet(["apple", "zebra"]);
    expect(rows.map((row) => row?.text())).toEqual(["low", "19"]);
    expect((await regionsOn(store)).map((view) => view.regionId)).toHaveLength(2);
  });

  test("SPEC-R7: the leader of each Region is killed twice under load: nothing acknowledged is lost", async () => {
    const client = await cluster.connect();
    const workload = new Workload(client, { prefixes: PREFIXES, concurrency: 32, valueBytes: 256 });
    const pauses: number[] = [];
    for (let round = 0; round < 2; round++) {
      for (const prefix of PREFIXES) {
        const leader = await cluster.leaderOf(prefix);
        const killedMs = performance.now();
        await leader.kill();
        const resumedMs = await waitFor(`puts under ${prefix} after the kill`, 30_000, () =>
          workload.firstAnswerMs(prefix, killedMs),
        );
        pauses.push(resumedMs - killedMs);
        await leader.launch();
        await everyStoreHasEverything(cluster);
      }
    }
    await waitFor(`${PUTS_MIN} puts`, 300_000, () => workload.acknowledgedCount >= PUTS_MIN);
    await workload.stop();
    console.info(
      `${workload.acknowledgedCount} puts acknowledged; ` +
        `after the kills writes went on in ${pauses.map((pause) => `${Math.round(pause)} ms`).join(", ")}`,
    );
    expect(await workload.lost(client)).toEqual([]);
    expect(Math.max(...pauses)).toBeLessThan(RESUME_MAX_MS);
    // What the killed Store had and never answered was sent again, as the same write.
    expect(workload.failures).toEqual([]);
    expect(cluster.unexpectedEnds()).toEqual([]);
  }, 600_000);
});

async function appliedIndexes(store: TestStore): Promise<number[]> {
  return (await regionsOn(store)).map((view) => view.appliedIndex);
}
