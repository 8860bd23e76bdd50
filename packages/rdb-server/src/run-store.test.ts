import { existsSync } from "node:fs";
import { Code, createClient } from "@connectrpc/connect";
import { RdbError, SeededRandom, regionId, silentLogger, systemClock } from "@flaredb/rdb-base";
import { KvService, regionToProto } from "@flaredb/rdb-proto";
import { MemoryEngine, MemoryRawEngine } from "@flaredb/rdb-storage";
import { httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseStoreConfig } from "./config.ts";
import { type RunningStore, type StoreDisk, runStore } from "./run-store.ts";
import { FakePd } from "./testing/fake-pd.ts";
import { voterOn } from "./testing/peer-messages.ts";
import { MemorySnapshotFiles } from "./testing/sim/memory-snapshot-files.ts";

const DATA_DIR = "not-a-folder-of-this-machine";

let pd: FakePd;
let disk: StoreDisk;
let running: RunningStore[];

beforeEach(async () => {
  pd = await new FakePd().listen();
  disk = memoryDisk();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((each) => each.close()));
  await pd.close();
});

/** A data folder in memory, which outlives the Store. */
function memoryDisk(): StoreDisk {
  const ports = { clock: systemClock, random: new SeededRandom(1) };
  const database = new MemoryRawEngine(ports);
  const snapshots = new MemorySnapshotFiles(ports);
  return {
    openEngine: (onFatal) => Promise.resolve(new MemoryEngine({ ...ports, onFatal }, database)),
    openSnapshots: () => Promise.resolve(snapshots),
    freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
    noteClusterVersion: () => Promise.resolve(),
    usage: () => Promise.resolve({ capacityBytes: 3, availableBytes: 2, usedBytes: 1 }),
  };
}

interface RunChanges {
  readonly disk?: Partial<StoreDisk>;
  readonly port?: number;
  readonly onFatal?: (error: RdbError) => void;
}

async function run(changes: RunChanges = {}) {
  const config = parseStoreConfig({
    dataDir: DATA_DIR,
    port: changes.port ?? 0,
    pdAddresses: [pd.address],
  });
  const store = await runStore(config, {
    clock: systemClock,
    random: new SeededRandom(2),
    logger: silentLogger,
    onFatal:
      changes.onFatal ??
      ((error) => {
        throw error;
      }),
    wire: httpWire(),
    disk: { ...disk, ...changes.disk },
    httpAddress: "127.0.0.1:7420",
    residentMemoryBytes: () => 1,
  });
  running.push(store);
  return store;
}

/** PD's command to make the only peer of a Region over everything. */
function createOnlyPeer(): void {
  const region = {
    id: regionId(2),
    startKey: new Uint8Array(),
    endKey: new Uint8Array(),
    epoch: { confVer: 1, version: 1 },
    peers: [voterOn(1)],
  };
  const value = { clusterId: pd.clusterId, storeId: 1n, region: regionToProto(region) };
  pd.say({ case: "createPeer", value });
}

test("a Store touches nothing but its ports, and finds on its disk what it wrote there", async () => {
  // Until the peer is made here, the key's Region is not known anywhere.
  pd.onGetRegion = () => {
    throw new RdbError("RDB_REGION_NOT_FOUND", "ask again");
  };
  const store = await run();
  createOnlyPeer();
  const { transport, close } = unaryTransport(store.address);
  await createClient(KvService, transport).put({ key: Buffer.from("k"), value: Buffer.from("v") });
  close();
  const [heartbeat] = await pd.first("storeHeartbeat");
  expect(heartbeat?.request.stats).toMatchObject({
    residentMemoryBytes: 1n,
    capacityBytes: 3n,
    availableBytes: 2n,
    usedBytes: 1n,
  });
  await store.close();

  const again = await run();
  expect(again.ident).toEqual(store.ident);
  const wire = unaryTransport(again.address);
  const got = await createClient(KvService, wire.transport).get({ key: Buffer.from("k") });
  wire.close();
  expect(Buffer.from(got.value).toString()).toBe("v");
  expect(existsSync(DATA_DIR)).toBe(false);
}, 20_000);

test("a refused start leaves nothing open: not the port, not the database", async () => {
  let closedCount = 0;
  const refused = run({
    disk: {
      openEngine: async (onFatal) => {
        const engine = await disk.openEngine(onFatal);
        const close = engine.close.bind(engine);
        engine.close = () => {
          closedCount++;
          return close();
        };
        return engine;
      },
      openSnapshots: () => Promise.reject(new RdbError("RDB_STORAGE_FAILED", "no room for a folder")),
    },
  });
  // It begins to listen before it registers.
  const [registration] = await pd.first("register");
  const address = registration?.request.address ?? "";
  await expect(refused).rejects.toMatchObject({ code: "RDB_STORAGE_FAILED" });
  expect(closedCount).toBe(1);
  const again = await run({ port: Number(address.split(":")[1]) });
  expect(again.address).toBe(address);
});

describe("a Store that was given up as lost", () => {
  /** From now on PD refuses it, on each way that it may say so. */
  function giveUp(): void {
    const refuse = (): never => {
      throw new RdbError("RDB_STORE_LOST", "store 1 was given up as lost");
    };
    Object.assign(pd, { onRegister: refuse, onRegionHeartbeat: refuse, onStoreHeartbeat: refuse });
    pd.cutStream();
  }

  test("is refused after a restart without PD, and told what can be done", async () => {
    const fatal = Promise.withResolvers<RdbError>();
    const store = await run({ onFatal: fatal.resolve });
    createOnlyPeer();
    await pd.first("regionHeartbeat");
    giveUp();
    expect(await fatal.promise).toMatchObject({ code: "RDB_STORE_LOST" });
    await store.close();
    await pd.close();
    for (const _attempt of [1, 2]) {
      await expect(run()).rejects.toMatchObject({
        code: "RDB_STORE_LOST",
        message: expect.stringMatching(
          /^store 1 of cluster 77 .* empty data folder .*docs\/disaster-recovery\.md/,
        ),
        details: { storeId: 1, clusterId: 77 },
      });
    }
  }, 20_000);

  test("answers nothing any more while it notes that", async () => {
    const fatal = Promise.withResolvers<RdbError>();
    const noting = Promise.withResolvers<void>();
    const noted = Promise.withResolvers<void>();
    let holdsBack = false;
    const store = await run({
      onFatal: fatal.resolve,
      disk: {
        openEngine: async (onFatal) => {
          const engine = await disk.openEngine(onFatal);
          const flush = engine.flush.bind(engine);
          engine.flush = async () => {
            if (holdsBack) {
              noting.resolve();
              await noted.promise;
            }
            await flush();
          };
          return engine;
        },
      },
    });
    pd.onGetRegion = () => {
      throw new RdbError("RDB_REGION_NOT_FOUND", "ask again");
    };
    createOnlyPeer();
    const { transport, close } = unaryTransport(store.address);
    const kv = createClient(KvService, transport);
    await kv.put({ key: Buffer.from("k"), value: Buffer.from("v") });
    let isEnded = false;
    void fatal.promise.then(() => (isEnded = true));
    holdsBack = true;
    giveUp();
    await noting.promise;
    await expect(kv.get({ key: Buffer.from("k") })).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    expect(isEnded).toBe(false);
    noted.resolve();
    expect(await fatal.promise).toMatchObject({ code: "RDB_STORE_LOST" });
    close();
  }, 20_000);
});
