import { afterEach, expect, test } from "vitest";
import { TestCluster, type TestStore } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { waitFor } from "./wait.ts";

let cluster: TestCluster;
afterEach(() => cluster.dispose());

const LOG_MAX_ENTRIES = 50;

test("SPEC-R6: a Store that was away past the log's limit comes back by a snapshot and has everything", async () => {
  cluster = await TestCluster.start({
    storeConfig: { logGc: { maxEntries: LOG_MAX_ENTRIES, checkIntervalMs: 100 } },
  });
  const client = await cluster.connect();
  await client.put("gone", "soon");
  const leader = await cluster.leaderOf("");
  const away = cluster.stores.find((store) => store !== leader) as TestStore;
  const appliedBefore = (await regionsOn(away))[0]?.appliedIndex ?? 0;
  await away.kill();

  // One after the other, so that each is an entry of its own.
  for (let i = 0; i < 4 * LOG_MAX_ENTRIES; i++) {
    await client.put(`key${i}`, `value${i}`);
  }
  await client.delete("gone");
  await waitFor("a log cut behind what the absent Store has", 10_000, async () => {
    const view = (await regionsOn(leader))[0];
    return view !== undefined && view.firstIndex > appliedBefore + 1;
  });

  await away.launch();
  const target = (await regionsOn(leader))[0]?.appliedIndex ?? 0;
  await waitFor("everything on the Store that was away", 15_000, async () => {
    return ((await regionsOn(away))[0]?.appliedIndex ?? 0) >= target;
  });
  // It has the cut log of a snapshot, not the entries from where it stopped.
  expect((await regionsOn(away))[0]?.firstIndex).toBeGreaterThan(appliedBefore + 1);

  // And what it has is complete: it and one other are a majority now, and the former leader is gone.
  await leader.kill();
  expect(await client.get("gone")).toBeUndefined();
  for (const i of [0, LOG_MAX_ENTRIES, 4 * LOG_MAX_ENTRIES - 1]) {
    expect(Buffer.from((await client.get(`key${i}`))?.value ?? []).toString()).toBe(`value${i}`);
  }
  expect(cluster.unexpectedEnds()).toEqual([]);
});
