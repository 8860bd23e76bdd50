import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { MemoryCluster } from "./memory-cluster.ts";

let cluster: MemoryCluster | undefined;
afterEach(() => cluster?.stop());

describe("a cluster in memory", () => {
  test("is led everywhere once it is there, and its Stores are numbered from 1", async () => {
    cluster = await MemoryCluster.start({ stores: 3, splitKeys: ["g", "t"] });
    expect(cluster.storeIds).toEqual([1, 2, 3]);
    for (const key of ["a", "g", "z"]) {
      expect(cluster.storeIds).toContain(await cluster.leaderOf(key));
    }
  });

  test("keeps its address when the placement driver dies, and what it knew", async () => {
    cluster = await MemoryCluster.start();
    const { pdAddress } = cluster;
    await cluster.killPd();
    expect(() => cluster?.healPd()).toThrow("the placement driver was killed: startPd() starts it again");
    await expect(cluster.leaderOf("a")).rejects.toMatchObject({ code: "RDB_PD_UNAVAILABLE" });
    await cluster.startPd();
    expect(cluster.pdAddress).toBe(pdAddress);
    // It has the Region from its own disk; who leads it, it hears from the Store.
    expect([undefined, 1]).toContain(await cluster.leaderOf("a"));
  });

  test("says what makes no cluster, and which Store there is not", async () => {
    await expect(MemoryCluster.start({ stores: 0 })).rejects.toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: "stores 0 must be from 1 to 5",
    });
    await expect(MemoryCluster.start({ splitKeys: ["b", "a"] })).rejects.toMatchObject({
      code: "RDB_CONFIG_INVALID",
    });
    cluster = await MemoryCluster.start();
    await expect(cluster.killStore(2)).rejects.toThrow("there is no Store 2: it must be from 1 to 1");
    await expect(cluster.startStore(1)).rejects.toThrow("Store 1 runs already");
  });

  test("leaves nothing that keeps the program alive: it ends by itself", async () => {
    const program = `
      const { MemoryCluster } = await import("@flaredb/rdb-testing");
      const cluster = await MemoryCluster.start({ stores: 3 });
      await cluster.killStore(2);
      await cluster.stop();
      await cluster.stop();
      console.log("stopped");
    `;
    const args = ["--input-type=module", "--eval", program];
    // What does not end is killed after this long, and that is an error.
    const limits = { cwd: import.meta.dirname, timeout: 15_000 };
    const { stdout } = await promisify(execFile)(process.execPath, args, limits);
    expect(stdout).toBe("stopped\n");
  });
});
