import { afterEach, describe, expect, test } from "vitest";
import { RdbClient } from "./client.ts";
import { WireCluster } from "./testing/wire-cluster.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function connected(splitKeys: string[] = ["m"]): Promise<{ cluster: WireCluster; client: RdbClient }> {
  const cluster = await WireCluster.start({ splitKeys });
  cleanups.push(() => cluster.stop());
  const client = await RdbClient.connect({ pd: cluster.pdAddress });
  cleanups.push(() => client.close());
  return { cluster, client };
}

describe("over real sockets", () => {
  test("512 puts and gets at once, over two Regions", async () => {
    const { client } = await connected();
    const keys = Array.from({ length: 512 }, (_, id) => `${id % 2 === 0 ? "a" : "z"}${id}`);
    await Promise.all(keys.map((key) => client.put(key, `value of ${key}`)));
    const rows = await Promise.all(keys.map((key) => client.get(key)));
    expect(rows.map((row) => row?.text())).toEqual(keys.map((key) => `value of ${key}`));
    expect(await client.scan({ pageSize: 100 }).toArray()).toHaveLength(512);
  });

  test("values as large as they may be", async () => {
    const { client } = await connected();
    const value = new Uint8Array(8 * 1024 * 1024).fill(7);
    await client.put("large", value);
    expect((await client.get("large"))?.value.length).toBe(value.length);
  });

  test("a Store killed in between: writes go on at another, each applied at most once", async () => {
    const { cluster, client } = await connected([]);
    await client.put("k", "v");
    const calls = Array.from({ length: 50 }, (_, id) => client.put(`k${id}`, "v").then(() => `k${id}`));
    const killed = cluster.stopStore(1, 0);
    cluster.fake.moveLeader("k", 2);
    const outcomes = await Promise.allSettled(calls);
    await killed;
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") {
        expect(cluster.fake.rows.writeCounts.get(outcome.value)).toBe(1);
      } else {
        expect(outcome.reason).toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
      }
    }
    await client.put("after", "v");
    expect(Math.max(...cluster.fake.rows.writeCounts.values())).toBe(1);
  });

  test("a Store that stops in good order costs no call", async () => {
    const { cluster, client } = await connected([]);
    await client.put("k", "v");
    let isStopped = false;
    const load = async (worker: number): Promise<number> => {
      let count = 0;
      while (!isStopped || count === 0) {
        await client.put(`${worker}-${count++}`, "v");
      }
      return count;
    };
    const workers = Array.from({ length: 16 }, (_, worker) => load(worker));
    await client.put("under way", "v");
    cluster.fake.moveLeader("k", 3);
    await cluster.stopStore(1, 5_000);
    await client.put("after", "v");
    isStopped = true;
    const counts = await Promise.all(workers);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  test("a Store restarted at another address is found again through the placement driver", async () => {
    const { cluster, client } = await connected([]);
    await client.put("k", "1");
    await cluster.stopStore(1, 0);
    await cluster.startStore(1);
    await client.put("k", "2");
    expect((await client.get("k"))?.text()).toBe("2");
  });

  test("works on without the placement driver", async () => {
    const { cluster, client } = await connected();
    await cluster.stopPd();
    await client.put("a", "1");
    cluster.fake.moveLeader("z", 1);
    await client.put("z", "2");
    expect(await client.scan().toArray()).toHaveLength(2);
  });

  test("an address where no placement driver answers: one error that names it, quickly", async () => {
    const { cluster } = await connected();
    const address = cluster.pdAddress;
    await cluster.stopPd();
    const startedMs = performance.now();
    await expect(RdbClient.connect({ pd: address })).rejects.toMatchObject({
      code: "RDB_PD_UNAVAILABLE",
      message: expect.stringContaining(address) as string,
    });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test("closing leaves nothing open: the process can end", async () => {
    const { client } = await connected();
    await client.put("k", "v");
    client.close();
    client.close();
    await expect(client.put("k", "v")).rejects.toMatchObject({ code: "RDB_CLOSED" });
  });
});
