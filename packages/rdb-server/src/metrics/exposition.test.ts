import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { RdbError, regionId, silentLogger, systemClock, systemRandom } from "@flaredb/rdb-base";
import { metricSections } from "@flaredb/rdb-metrics";
import { type ParsedMetric, parseExposition } from "@flaredb/rdb-metrics/testing";
import { KvService, regionToProto } from "@flaredb/rdb-proto";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseStoreConfig } from "../config.ts";
import type { RunningStore } from "../run-store.ts";
import { startStore } from "../start-store.ts";
import { FakePd } from "../testing/fake-pd.ts";
import { voterOn } from "../testing/peer-messages.ts";

let folder: string;
let pd: FakePd;
let store: RunningStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-metrics-"));
  pd = await new FakePd().listen();
  const config = parseStoreConfig({
    ...{ dataDir: join(folder, "data"), port: 0, httpPort: 0 },
    ...{ pdAddresses: [pd.address], disk: { reserveBytes: 0 } },
  });
  store = await startStore(config, {
    ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
    onFatal: (error) => {
      throw error;
    },
  });
});

afterEach(async () => {
  await store.close();
  await pd.close();
  await rm(folder, { recursive: true });
});

async function metrics(): Promise<Map<string, ParsedMetric>> {
  const response = await fetch(`http://${store.httpAddress}/metrics`);
  return parseExposition(await response.text());
}

function valueOf(shown: Map<string, ParsedMetric>, series: string, label?: string): number | undefined {
  const name = series.replace(/_count$/, "");
  const samples = (shown.get(series) ?? shown.get(name))?.samples ?? [];
  return samples.find(
    (sample) =>
      sample.name === series && (label === undefined || Object.values(sample.labels).includes(label)),
  )?.value;
}

/** Carries out a put, a get and a refused get on the only Region. */
async function useIt(): Promise<void> {
  pd.onGetRegion = () => {
    throw new RdbError("RDB_REGION_NOT_FOUND", "ask again");
  };
  const region = {
    ...{ id: regionId(2), startKey: new Uint8Array(), endKey: new Uint8Array() },
    ...{ epoch: { confVer: 1, version: 1 }, peers: [voterOn(1)] },
  };
  const value = { clusterId: pd.clusterId, storeId: 1n, region: regionToProto(region) };
  pd.say({ case: "createPeer", value });
  const { transport, close } = unaryTransport(store.address);
  const client = createClient(KvService, transport);
  const key = new TextEncoder().encode("k");
  await client.put({ key, value: key });
  await client.get({ key });
  close();
}

test("a Store shows every metric of its table, and counts what it did", async () => {
  await useIt();
  const shown = await metrics();
  const wanted = metricSections
    .filter(({ title }) => title !== "rdb-pd")
    .flatMap((section) => section.metrics);
  expect([...shown.keys()].sort()).toEqual(wanted.map(({ name }) => name).sort());
  for (const { name, type, help } of wanted) {
    expect(shown.get(name)).toMatchObject({ type, help });
  }
  const counts = {
    puts: valueOf(shown, "flaredb_store_request_latency_seconds_count", "put"),
    gets: valueOf(shown, "flaredb_store_request_latency_seconds_count", "get"),
    applied: valueOf(shown, "flaredb_store_proposals_total", "applied"),
    won: valueOf(shown, "flaredb_store_elections_total", "won"),
    leaders: valueOf(shown, "flaredb_store_regions", "leader"),
    slow: valueOf(shown, "flaredb_store_disk_slow"),
  };
  expect(counts).toEqual({ puts: 1, gets: 1, applied: 1, won: 1, leaders: 1, slow: 0 });
  const commits = valueOf(shown, "flaredb_store_commit_latency_seconds_count");
  const syncs = valueOf(shown, "flaredb_store_sync_latency_seconds_count");
  expect(commits).toBe(1);
  expect(syncs).toBeGreaterThan(1);
  expect(valueOf(shown, "flaredb_store_rocksdb_wal_bytes")).toBeGreaterThan(0);
  expect(valueOf(shown, "flaredb_store_disk_free_bytes")).toBeGreaterThan(0);
}, 20_000);
