// How fast the loop of three Stores is by itself: one process, real RocksDB engines in temporary folders, messages
// handed over directly, no network and no client. Run: node packages/rdb-server/bench/loop.ts [--seconds N]
// [--in-flight N] [--value-bytes N] [--gets]; profile with node --cpu-prof.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  FULL_RANGE,
  RdbError,
  type Region,
  type StoreId,
  clusterVersions,
  peerId,
  regionId,
  silentLogger,
  storeId,
  systemClock,
  systemRandom,
} from "@flaredb/rdb-base";
import type { KvResponse, RegionHeader } from "@flaredb/rdb-proto";
import { type Engine, openRocksEngine } from "@flaredb/rdb-storage";
import { parseStoreConfig } from "../src/config.ts";
import { Store } from "../src/store/store.ts";
import { MemorySnapshotFiles, getCommand, kvRequest, putCommand } from "../src/testing/index.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    "in-flight": { type: "string", default: "256" },
    "value-bytes": { type: "string", default: "256" },
    gets: { type: "boolean", default: false },
  },
});
const durationMs = Number(flags.seconds) * 1_000;
const inFlightCount = Number(flags["in-flight"]);
const value = "v".repeat(Number(flags["value-bytes"]));
const KEY_COUNT = 100_000;

const storeIds = [1, 2, 3].map(storeId);
const region: Region = {
  id: regionId(1),
  ...FULL_RANGE,
  epoch: { confVer: 1, version: 1 },
  peers: storeIds.map((id) => ({ id: peerId(id), storeId: id, role: "Voter" })),
};
const header: RegionHeader = {
  $typeName: "rdb.v1.RegionHeader",
  regionId: 1n,
  epoch: { $typeName: "rdb.v1.RegionEpoch", confVer: 1n, version: 1n },
  storeId: 0n,
};

const stores = new Map<StoreId, Store>();
/** Before all have their peers nobody speaks: one that is spoken to first waits for a snapshot. */
let areMade = false;
const engines: Engine[] = [];
const folder = await mkdtemp(join(tmpdir(), "flaredb-bench-"));

async function openStore(id: StoreId): Promise<void> {
  const engine = await openRocksEngine({
    path: join(folder, String(id)),
    clock: systemClock,
    onFatal: (error) => {
      throw error;
    },
  });
  const store = new Store({
    ident: { kind: "Store", clusterId: 1, storeId: id },
    config: parseStoreConfig({ dataDir: folder }),
    engine,
    clock: systemClock,
    random: systemRandom,
    clusterVersion: { current: clusterVersions.newest, newest: clusterVersions.newest },
    logger: silentLogger,
    transport: {
      send: (message) => {
        if (areMade) {
          setImmediate(() => stores.get(message.toPeer.storeId)?.receive([message], () => {}));
        }
        return true;
      },
      sendSnapshot: () => {
        throw new RdbError("RDB_INTERNAL", "no Store of this run falls behind its log");
      },
      isAlive: () => true,
    },
    snapshotFiles: new MemorySnapshotFiles({ clock: systemClock, random: systemRandom }),
    pdReporter: {
      regionChanged: () => {},
      diskChanged: () => {},
      findRegion: () => Promise.resolve(undefined),
      regionOfKey: () => Promise.resolve(region),
    },
    allocateIds: () => Promise.reject(new RdbError("RDB_PD_UNAVAILABLE", "this run has no placement driver")),
    diskFreeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
  });
  engines.push(engine);
  stores.set(id, store);
  await store.start();
  await store.createPeer(region);
}

function leader(): Store | undefined {
  return [...stores.values()].find((store) => store.regionStatus(region.id)?.isLeader === true);
}

/** Keeps `inFlightCount` requests open for the given time. @returns how long each took, in ms */
function load(store: Store): Promise<number[]> {
  const latencies: number[] = [];
  const endMs = performance.now() + durationMs;
  let open = 0;
  let sequence = 0;
  return new Promise((resolve, reject) => {
    const send = (): void => {
      const sentMs = performance.now();
      if (sentMs >= endMs) {
        if (--open === 0) {
          resolve(latencies);
        }
        return;
      }
      const key = `key${String(sequence++ % KEY_COUNT).padStart(10, "0")}`;
      const command = flags.gets ? getCommand(key) : putCommand(key, value);
      store.handle(header, [kvRequest({ requestId: sequence, command })], (response: KvResponse) => {
        if (response.result.case === "error") {
          reject(new Error(response.result.value.message));
          return;
        }
        latencies.push(performance.now() - sentMs);
        setImmediate(send);
      });
    };
    for (; open < inFlightCount; open++) {
      setImmediate(send);
    }
  });
}

function quantile(sorted: Float64Array, part: number): string {
  return `${(sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1)} ms`;
}

try {
  await Promise.all(storeIds.map(openStore));
  areMade = true;
  while (leader() === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  const latencies = Float64Array.from(await load(leader() as Store)).sort();
  const seconds = (performance.now() - startMs) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const busy = (cpu.user + cpu.system) / 1e6 / seconds;
  process.stdout.write(
    `${flags.gets ? "gets" : "puts"} of ${value.length} B, ${inFlightCount} in flight: ` +
      `${Math.round(latencies.length / seconds)}/s, p50 ${quantile(latencies, 0.5)}, p99 ${quantile(latencies, 0.99)}, ` +
      `${busy.toFixed(2)} cores\n`,
  );
} finally {
  await Promise.all([...stores.values()].map((store) => store.close()));
  await Promise.all(engines.map((engine) => engine.close()));
  await rm(folder, { recursive: true, force: true });
}
