import { regionId } from "@flaredb/rdb-base";
import { WritePart, encodeValue } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import {
  type SimCluster,
  type SimStore,
  bytes,
  contentOf,
  leadFrom,
  putCommand,
  regionNow,
  startWithPeersOnFirst,
} from "../testing/index.ts";

const SHORT_LOGS = {
  logGc: { maxEntries: 10, checkIntervalMs: 50 },
  hibernateAfterMs: 0,
  stalePeerMs: 1_000,
} as const;

/** Three Stores; the last one is cut off while the Region is cut at `m` and the log behind that is dropped. */
async function behindASplit(seed: number): Promise<{ cluster: SimCluster; away: SimStore }> {
  const cluster = await startWithPeersOnFirst({ seed, peerCount: 3, config: SHORT_LOGS });
  const leader = cluster.storeOf(1);
  await leadFrom(cluster, leader);
  for (const key of ["a", "m", "z"]) {
    await cluster.put(key, "1");
  }
  const away = cluster.storeOf(3);
  await cluster.until("all have it", () => {
    const [there, here] = [leader, away].map((store) => cluster.statusOf(store).appliedIndex);
    return there === here;
  });
  cluster.isolate(away);
  const { id, epoch } = await regionNow(cluster);
  const command = { regionId: id, epoch, keys: [bytes("m")], partCount: 2 };
  expect(await cluster.complete(leader.store.splitRegion(command))).toEqual({ ok: true });
  await cluster.until("it is split", () => cluster.regions.length === 2);
  const client = cluster.newPersistentClient();
  for (let count = 0; count < 15; count++) {
    await cluster.complete(client.call(putCommand("a", `${count}`), {}));
  }
  const last = cluster.statusOf(away).lastIndex;
  await cluster.until("the log is cut", () => cluster.statusOf(leader).firstIndex > last + 1);
  // What was cut off has no peer on the Store that is away, which will never hear of it.
  cluster.network.intercept = ({ regionId: about, toPeer }) =>
    about !== regionId(1) && toPeer.storeId === away.storeId ? "drop" : "deliver";
  return { cluster, away };
}

describe("rows that lie in no Region of the Store", () => {
  it("SPEC-C4: go with the next start, and no others", async () => {
    const cluster = await startWithPeersOnFirst({ seed: 1, peerCount: 3, config: SHORT_LOGS });
    await cluster.put("k", "1");
    const stray = cluster.storeOf(4);
    const part = new WritePart();
    part.put("data", bytes("k"), encodeValue(1, bytes("nobody's")));
    stray.engine.submit(part);
    for (const store of cluster.stores) {
      await cluster.complete(store.stop());
      await cluster.complete(store.start());
    }
    expect(await cluster.complete(contentOf(stray))).toEqual([]);
    expect(await cluster.get("k")).toBe("1");
    expect(await cluster.complete(contentOf(cluster.storeOf(3)))).toEqual(["k=1@1"]);
  });

  it("SPEC-C4: are not left by a crash at any moment of a snapshot that a smaller Region came with", async () => {
    let sweptCount = 0;
    for (let moment = 0; moment < 80; moment++) {
      const { cluster, away } = await behindASplit(100 + moment);
      // So that the steps of its writer lie apart.
      away.slowDisk(3);
      const aside = cluster.network.intercept;
      cluster.network.heal();
      cluster.network.intercept = aside;
      await cluster.until("it installs a snapshot", () => cluster.trace.has("a snapshot is installed"));
      await cluster.run(moment / 4);
      away.crash();
      await cluster.complete(away.start());
      sweptCount += cluster.trace.has("rows of no Region are deleted") ? 1 : 0;
      const leader = cluster.storeOf(1);
      await cluster.until("it has the Region", () => {
        const status = away.store.regionStatus(regionId(1));
        return status?.appliedIndex === cluster.statusOf(leader).appliedIndex;
      });
      const rows = await cluster.complete(contentOf(away));
      expect(rows.map((row) => row.slice(0, 1))).toEqual(["a"]);
    }
    // Otherwise the test does not meet what it is for.
    expect(sweptCount).toBeGreaterThan(0);
  });
});
