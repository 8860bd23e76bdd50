import { describe, expect, it } from "vitest";
import { SimCluster, getCommand, putCommand } from "../testing/index.ts";

const SLOW_DISK_MS = 600;

/** The lines of a cluster's log that tell of slow requests. */
function slowLines(cluster: SimCluster): Record<string, string>[] {
  return cluster.trace
    .linesWith("slow request")
    .map((line) =>
      Object.fromEntries([...line.matchAll(/(\w+)=([\w.]+)/g)].map(([, name, value]) => [name, value])),
    );
}

async function clusterWithSlowDisks(isLeaderSlow: boolean): Promise<SimCluster> {
  const cluster = await SimCluster.start({ seed: 4, config: { slowDiskMs: 10_000, slowRequestMs: 500 } });
  const leader = await cluster.waitForLeader();
  await cluster.put("k", "before");
  for (const store of isLeaderSlow ? [leader] : cluster.others(leader.storeId)) {
    store.slowDisk(SLOW_DISK_MS);
  }
  const client = cluster.newClient();
  expect(await cluster.complete(client.call(putCommand("k", "slow"), { timeoutMs: 20_000 }))).toMatchObject({
    kind: "ok",
  });
  expect(await cluster.complete(client.call(getCommand("k"), { timeoutMs: 20_000 }))).toMatchObject({
    kind: "ok",
  });
  return cluster;
}

describe("a write that is slow", () => {
  it("because of the leader's disk shows its time in the append", async () => {
    const [line] = slowLines(await clusterWithSlowDisks(true));
    expect(line).toMatchObject({ kind: "put", outcome: "ok" });
    expect(Number(line?.["appendMs"])).toBeGreaterThanOrEqual(SLOW_DISK_MS);
  });

  it("because of the others' disks shows it in the commit, beside a short append", async () => {
    const lines = slowLines(await clusterWithSlowDisks(false));
    expect(lines).toHaveLength(1);
    const [line] = lines;
    expect(line).toMatchObject({ kind: "put", outcome: "ok" });
    expect(Number(line?.["commitMs"])).toBeGreaterThanOrEqual(SLOW_DISK_MS);
    expect(Number(line?.["appendMs"])).toBeLessThan(SLOW_DISK_MS / 10);
    expect(Number(line?.["queueMs"])).toBeLessThan(SLOW_DISK_MS / 10);
  });
});
