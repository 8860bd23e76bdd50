import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readdir } from "node:fs/promises";
import {
  SeededRandom,
  peerId,
  regionId,
  silentLogger,
  storeId,
  systemClock,
  systemRandom,
} from "@flaredb/rdb-base";
import { WritePart, openRocksEngine, writeIdent } from "@flaredb/rdb-storage";
import { afterEach, describe, expect, test } from "vitest";
import { parsePdConfig } from "./config.ts";
import { PdStorage } from "./member/pd-storage.ts";
import { startPd } from "./start-pd.ts";
import { FakeStore } from "./testing/fake-store.ts";
import { TestPd } from "./testing/test-pd.ts";

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) {
    await close();
  }
});

async function testPd(config: object = {}): Promise<TestPd> {
  const pd = await TestPd.start(config);
  closing.push(() => pd.close());
  return pd;
}

function startOver(config: object) {
  return startPd(parsePdConfig({ port: 0, httpPort: 0, ...config }), {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
}

describe("SPEC-M7: what PD knows survives a restart", () => {
  test("the cluster, its Stores and its Regions", async () => {
    const pd = await testPd({ bootstrapStores: 1, initialSplitKeys: ["m"] });
    const store = new FakeStore(pd.client(), "127.0.0.1:7410");
    await store.register();
    const before = {
      clusterId: pd.clusterId,
      stores: (await pd.client().listStores({})).statuses.map(({ store: each }) => each?.address),
      regions: (await pd.client().listRegions({})).routes.map(({ region }) => region),
    };
    expect(before.regions).toHaveLength(2);
    await pd.restart();
    expect({
      clusterId: pd.clusterId,
      stores: (await pd.client().listStores({})).statuses.map(({ store: each }) => each?.address),
      regions: (await pd.client().listRegions({})).routes.map(({ region }) => region),
    }).toEqual(before);
  });

  test("ids never repeat, whatever was left of a lease", async () => {
    const pd = await testPd();
    const seen = new Set<bigint>();
    for (let run = 0; run < 4; run++) {
      const client = pd.client();
      for (const count of [1, 7, 999]) {
        const { firstId } = await client.allocateIds({ count });
        for (let id = firstId; id < firstId + BigInt(count); id++) {
          expect(seen.has(id)).toBe(false);
          seen.add(id);
        }
      }
      await pd.restart();
    }
    expect(seen.size).toBe(4 * 1_007);
  });

  test("before the bootstrap another configuration counts, after it the old one", async () => {
    const pd = await testPd({ bootstrapStores: 3, initialSplitKeys: ["m"] });
    await pd.restart({ bootstrapStores: 1, initialSplitKeys: ["d", "t"] });
    await new FakeStore(pd.client(), "127.0.0.1:7410").register();
    await pd.restart({ bootstrapStores: 5, initialSplitKeys: [] });
    expect((await pd.client().listRegions({})).routes).toHaveLength(3);
  });

  test("a long history leaves a short log", async () => {
    const pd = await testPd();
    const client = pd.client();
    for (let round = 0; round < 25; round++) {
      // Together, so that they share syncs; each is an entry of its own.
      const many = Array.from({ length: 100 }, () => new FakeStore(client, "127.0.0.1:7410").register());
      await Promise.all(many);
    }
    await client.allocateIds({ count: 1 });
    const rows = await stopAndCountLog(pd);
    expect(rows).toBeLessThanOrEqual(2_001);
    expect(rows).toBeGreaterThan(0);
    await pd.restart();
    expect((await pd.client().listStores({})).statuses).toHaveLength(1);
    expect((await pd.client().allocateIds({ count: 1 })).firstId).toBe(1_001n);
  });
});

/** How many entries the log of a stopped PD holds. */
async function stopAndCountLog(pd: TestPd): Promise<number> {
  await pd.stop();
  const engine = await openRocksEngine({ path: pd.dataDir, clock: systemClock, onFatal: () => {} });
  try {
    const { log } = await PdStorage.open(engine, {
      memberId: peerId(1),
      firstVoters: [peerId(1)],
      firstNames: [],
    });
    return log.lastIndex() - log.truncated.index;
  } finally {
    await engine.close();
  }
}

describe("a start that is refused", () => {
  test("a data folder that another process holds", async () => {
    const pd = await testPd();
    await expect(startOver({ dataDir: pd.dataDir })).rejects.toMatchObject({ code: "RDB_DATA_LOCKED" });
  });

  test("a data folder of a Store", async () => {
    const pd = await testPd();
    const path = `${pd.dataDir}/store`;
    const engine = await openRocksEngine({ path, clock: systemClock, onFatal: () => {} });
    const part = new WritePart();
    writeIdent(part, { kind: "Store", clusterId: 7, storeId: storeId(3) });
    engine.submit(part);
    await engine.close();
    await expect(startOver({ dataDir: path })).rejects.toMatchObject({ code: "RDB_DATA_FOREIGN" });
  });

  test("a data folder with somebody's data and no ident", async () => {
    const pd = await testPd();
    const path = `${pd.dataDir}/other`;
    const engine = await openRocksEngine({ path, clock: systemClock, onFatal: () => {} });
    const part = new WritePart();
    part.put("data", new Uint8Array([1]), new Uint8Array([regionId(1)]));
    engine.submit(part);
    await engine.close();
    await expect(startOver({ dataDir: path })).rejects.toMatchObject({ code: "RDB_DATA_FOREIGN" });
  });

  test.each(["port", "httpPort"])("a %s in use, before any file is made", async (field) => {
    const pd = await testPd();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    const dataDir = `${pd.dataDir}/new`;
    await expect(startOver({ dataDir, [field]: port })).rejects.toMatchObject({
      code: "RDB_ADDRESS_IN_USE",
      message: expect.stringContaining(`address 127.0.0.1:${port} is in use`),
    });
    expect(await readdir(pd.dataDir)).not.toContain("new");
  });
});

describe("HTTP", () => {
  async function getJson(pd: TestPd, path: string): Promise<unknown> {
    const response = await fetch(`http://${pd.httpAddress}${path}`);
    expect(response.status).toBe(200);
    return response.json();
  }

  test("health says which cluster and member this is, and how far it has applied", async () => {
    const pd = await testPd();
    const health = await getJson(pd, "/health");
    expect(health).toMatchObject({ status: "serving", clusterId: Number(pd.clusterId), memberId: 1 });
    await pd.client().allocateIds({ count: 1 });
    const { appliedIndex } = (await getJson(pd, "/health")) as { appliedIndex: number };
    expect(appliedIndex).toBeGreaterThan((health as { appliedIndex: number }).appliedIndex);
  });
});

test("clusters that are new get different ids", async () => {
  const ids = new Set<number>();
  for (let seed = 0; seed < 3; seed++) {
    const pd = await testPd();
    const dataDir = `${pd.dataDir}/${seed}`;
    const other = await startPd(parsePdConfig({ dataDir, port: 0, httpPort: 0 }), {
      clock: systemClock,
      random: new SeededRandom(seed),
      logger: silentLogger,
      onFatal: () => {},
    });
    ids.add(other.clusterId);
    await other.close();
  }
  expect(ids.size).toBe(3);
  expect([...ids].every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
});
