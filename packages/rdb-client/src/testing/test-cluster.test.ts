import { describe, expect, test, vi } from "vitest";
import { startTestCluster } from "./index.ts";

describe("SPEC-U2: a cluster for users' tests", () => {
  test("takes writes and answers reads, in Regions as asked for, and is gone at the end of its block", async () => {
    let db;
    {
      await using cluster = await startTestCluster({ stores: 1, splitKeys: ["m"] });
      db = await cluster.client();
      const low = await db.put("a", "1");
      const high = await db.put("z", "2");
      expect(low.regionId).not.toBe(high.regionId);
      expect((await db.scan().toArray()).map((row) => row.text())).toEqual(["1", "2"]);
      expect((await db.compareAndSwap("a", { version: low.version }, "3")).succeeded).toBe(true);
    }
    await expect(db.get("a")).rejects.toMatchObject({ code: "RDB_CLOSED" });
  });

  test("loses a Store, the one that leads, and nothing that was acknowledged", async () => {
    await using cluster = await startTestCluster({ stores: 3 });
    const db = await cluster.client();
    await db.put("count", "1");
    const leader = (await cluster.leaderOf("count")) as number;
    await cluster.killStore(leader);
    expect((await db.get("count"))?.text()).toBe("1");
    await db.put("count", "2");
    await cluster.startStore(leader);
    const other = cluster.storeIds.find((id) => id !== leader) as number;
    await cluster.killStore(other);
    // With the Store that came back it has a majority again.
    expect((await db.get("count"))?.text()).toBe("2");
  });

  test("has no majority when most Stores are dead: a write is refused or unknown, in time", async () => {
    await using cluster = await startTestCluster({ stores: 3 });
    const db = await cluster.client();
    await db.put("k", "1");
    await Promise.all([cluster.killStore(1), cluster.killStore(2)]);
    await expect(db.put("k", "2", { deadlineMs: 300 })).rejects.toMatchObject({
      code: expect.stringMatching(/^RDB_(UNDETERMINED_RESULT|DEADLINE_EXCEEDED)$/),
    });
  });

  test("goes on without its placement driver, which nobody new can do", async () => {
    await using cluster = await startTestCluster();
    const db = await cluster.client();
    await db.put("k", "1");
    cluster.cutPd();
    expect((await db.get("k"))?.text()).toBe("1");
    await expect(cluster.client({ deadlineMs: 200 })).rejects.toMatchObject({ code: "RDB_PD_UNAVAILABLE" });
    cluster.healPd();
    expect((await (await cluster.client()).get("k"))?.text()).toBe("1");
    await cluster.killPd();
    await cluster.startPd();
    expect((await (await cluster.client()).get("k"))?.text()).toBe("1");
  });

  test("says what to install when the package of the cluster is missing", async () => {
    vi.doMock("@flaredb/rdb-testing", () => {
      throw new Error("Cannot find package '@flaredb/rdb-testing'");
    });
    await expect(startTestCluster()).rejects.toMatchObject({
      code: "RDB_CONFIG_INVALID",
      message: expect.stringContaining("npm install --save-dev @flaredb/rdb-testing"),
    });
    vi.doUnmock("@flaredb/rdb-testing");
  });
});
