import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterVersions } from "@flaredb/rdb-base";
import { fromConnectError } from "@flaredb/rdb-wire";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { OLD_COMMIT, OLD_DATA_FILE, unpackFolders, wrongOldRows } from "./upgrade/old-data.ts";
import { OldSdkWriters } from "./upgrade/old-sdk.ts";
import { NEW_TREE, makeOldTree } from "./upgrade/old-tree.ts";
import { UpgradeCluster } from "./upgrade/upgrade-cluster.ts";
import { UpgradeMembers } from "./upgrade/member-group.ts";
import type { UpgradeProcess } from "./upgrade/upgrade-process.ts";
import { waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

const WAIT_MS = 20_000;
const ASK_AGAIN_AFTER_MS = 5_000;
/** Where nothing is in pnpm's store yet, and the cores are busy. */
const SLOW_MS = 240_000;
const { oldest, newest } = clusterVersions;

let folder: string;
let oldTree: string;
let cluster: UpgradeCluster;
let oldSdk: OldSdkWriters | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-old-"));
  oldTree = join(folder, "tree");
  await makeOldTree(OLD_COMMIT, oldTree);
  cluster = await UpgradeCluster.prepare();
  await unpackFolders(OLD_DATA_FILE, cluster.folder);
}, SLOW_MS);

afterAll(async () => {
  oldSdk?.kill();
  await cluster?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** As an operator does it: drained, started on the same folder, and the next only when all is well again. */
async function replace(process: UpgradeProcess, tree: string): Promise<void> {
  await process.stop();
  await process.start(tree);
  await cluster.whole();
}

/** Asks for a check of the first Region's replicas. @returns "taken", or the code of the refusal */
async function checkReplicas(): Promise<string> {
  const { routes } = await cluster.pdClient.listRegions({});
  try {
    await cluster.adminClient.checkReplicas({ regionId: routes[0]?.region?.id ?? 0n });
    return "taken";
  } catch (error) {
    return fromConnectError(error).code;
  }
}

/**
 * Waits until the first Region's peers were compared, and are alike. As `rdb region check` does, it asks again: between
 * two leaders PD says that it is busy, and a leader that steps down takes what it was asked with it.
 */
async function comparePeers(): Promise<void> {
  let askedMs = Number.NEGATIVE_INFINITY;
  await waitFor("the first Region's peers are compared", 3 * WAIT_MS, async () => {
    if (performance.now() - askedMs > ASK_AGAIN_AFTER_MS && (await checkReplicas()) === "taken") {
      askedMs = performance.now();
    }
    const { routes } = await cluster.pdClient.listRegions({});
    expect(routes[0]?.damagedPeerIds).toEqual([]);
    return (routes[0]?.verifiedIndex ?? 0n) > 0n;
  });
}

function formatOf(store: UpgradeProcess): Promise<string> {
  return readFile(join(store.dataDir, "FORMAT"), "utf8");
}

async function clusterVersion(): Promise<number> {
  return (await cluster.info()).clusterVersion;
}

describe("a cluster whose processes are replaced by newer ones, one after the other, under load", {
  timeout: SLOW_MS,
}, () => {
  test("fails no write, loses nothing, and takes newer commands when the last Store is new", async () => {
    onTestFailed(() => {
      process.stderr.write(cluster.lastLines());
    });
    const [first, second, third] = cluster.stores as [UpgradeProcess, UpgradeProcess, UpgradeProcess];
    await cluster.start(oldTree);
    const client = await cluster.connect();
    expect(await wrongOldRows(client)).toEqual([]);
    expect(await clusterVersion()).toBe(0);
    const load = new Workload(client, { prefixes: ["b-", "l-", "y-"], concurrency: 4, valueBytes: 64 });
    oldSdk = await OldSdkWriters.start(oldTree, cluster.pdAddress, "z-");

    await replace(cluster.pd, NEW_TREE);
    expect(await clusterVersion()).toBe(oldest);
    for (const store of [first, second]) {
      await replace(store, NEW_TREE);
      expect(await clusterVersion()).toBe(oldest);
      expect(await checkReplicas()).toBe("RDB_CLUSTER_VERSION");
    }
    await waitFor("PD waits for the last Store alone", WAIT_MS, async () => {
      const { clusterVersionWaitsFor: waitsFor } = await cluster.info();
      return waitsFor.length === 1 && /^the program of Store \d knows version 1$/.test(waitsFor[0] ?? "");
    });
    // Until the last one is new, a new one can go back, and finds its folder as it may be then.
    expect(await formatOf(first)).toBe("flaredb-data 2\n");
    await replace(first, oldTree);
    await replace(first, NEW_TREE);
    expect(await clusterVersion()).toBe(oldest);

    await replace(third, NEW_TREE);
    await waitFor("the newest cluster version", WAIT_MS, async () => (await clusterVersion()) === newest);
    await waitFor("every Store knows it", WAIT_MS, async () =>
      (await Promise.all(cluster.stores.map(formatOf))).every((format) => format === "flaredb-data 3\n"),
    );
    await comparePeers();

    await load.stop();
    const old = await oldSdk.stop();
    expect(load.failures.map(String)).toEqual([]);
    expect(old).toMatchObject({ failures: [], lost: [] });
    expect(Math.min(load.acknowledgedCount, old.acknowledgedCount)).toBeGreaterThan(100);
    expect(await load.lost(client)).toEqual([]);
    expect(await wrongOldRows(client)).toEqual([]);
    expect(cluster.unexpectedEnds()).toEqual([]);
  });

  test("keeps older programs out from then on, and loses nothing by it", async () => {
    const [first] = cluster.stores as [UpgradeProcess];
    for (const process of [first, cluster.pd]) {
      await process.stop();
      expect(await process.refusedBy(oldTree)).toBe(1);
      expect(process.log()).toMatch(/RDB_DATA_FORMAT/);
      await process.start(NEW_TREE);
    }
    await cluster.whole();
    expect(await clusterVersion()).toBe(newest);
    expect(await wrongOldRows(await cluster.connect())).toEqual([]);
  });
});

test("members of PD are replaced one after the other: nothing that an older one would end at is in their log before", {
  timeout: SLOW_MS,
}, async () => {
  const group = await UpgradeMembers.prepare();
  try {
    await group.start(oldTree);
    const { clusterId } = await group.info();
    for (const member of group.members) {
      expect((await group.info()).clusterVersion).toBeLessThan(newest);
      await member.stop();
      await member.start(NEW_TREE);
      await group.whole();
    }
    await waitFor("the newest cluster version", WAIT_MS, async () => {
      const { clusterVersion: version } = await group.info();
      return version === newest;
    });
    const [first] = group.members as [UpgradeProcess];
    await first.stop();
    expect(await first.refusedBy(oldTree)).toBe(1);
    expect(first.log()).toMatch(/RDB_DATA_FORMAT/);
    await first.start(NEW_TREE);
    await group.whole();
    expect((await group.info()).clusterId).toBe(clusterId);
    expect(group.unexpectedEnds()).toEqual([]);
  } finally {
    await group.dispose();
  }
});
