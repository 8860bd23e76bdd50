import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { regionId, silentLogger, storeId, systemClock, systemRandom } from "@flaredb/rdb-base";
import { type RunningPd, parsePdConfig, startPd } from "@flaredb/rdb-pd";
import { PdService } from "@flaredb/rdb-proto";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runCaptured } from "../testing/run-captured.ts";

// `--json` and PD's admin API say the same in the same words.

type Document = Readonly<Record<string, unknown>>;

let pd: RunningPd;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "rdb-cli-"));
  const settings = { dataDir, port: 0, httpPort: 0, bootstrapStores: 1, initialSplitKeys: ["m"] };
  pd = await startPd(parsePdConfig(settings), {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  const connection = unaryTransport(pd.address);
  const client = createClient(PdService, connection.transport);
  const address = "127.0.0.1:7410";
  const newest = { clusterVersion: 1_000 };
  await client.registerStore({
    ...newest,
    address,
    labels: { host: "a" },
    bootId: 1n,
    registrationToken: "one",
  });
  connection.close();
});

afterAll(async () => {
  await pd.close();
  await rm(dataDir, { recursive: true, force: true });
});

test.each<[command: string, path: string, field: string]>([
  ["store list", "stores", "stores"],
  ["region list", "regions", "regions"],
  ["region list --store 1", "regions?storeId=1", "regions"],
  ["region list --leader 2", "regions?leaderStoreId=2", "regions"],
  ["region list --state leaderless", "regions?state=leaderless", "regions"],
  ["region peers 1", "regions/1/peers", "peers"],
  ["region hot", "regions/hot", "regions"],
  ["operator history", "operators/history", "operators"],
  ["operator list", "operators", "operators"],
  ["operator explain 1", "regions/1/explain", "explanations"],
  ["scheduler list", "schedulers", "schedulers"],
  ["scheduler config", "config/placement", "settings"],
  ["pd members", "members", "members"],
])("rdb %s --json is what /api/v1/%s has", async (command, path, field) => {
  const { stdout } = await runCaptured([...command.split(" "), "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/${path}`);
  const answer = (await response.json()) as Record<string, Document[]>;
  expect(answer[field]?.map(comparable)).toEqual((JSON.parse(stdout) as Document[]).map(comparable));
});

test("rdb cluster status --json is in what /api/v1/cluster has", async () => {
  const { stdout } = await runCaptured(["cluster", "status", "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/cluster`);
  expect(await response.json()).toMatchObject(JSON.parse(stdout) as Document);
});

test("rdb region siblings --json is what /api/v1/regions/{regionId}/siblings has", async () => {
  const { stdout } = await runCaptured(["region", "siblings", "1", "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/regions/1/siblings`);
  const { left, right } = (await response.json()) as Record<string, Document | null>;
  expect(right).not.toBeNull();
  expect(JSON.parse(stdout)).toEqual({ left, right: comparable(right ?? {}) });
});

test("rdb region coverage --json is what /api/v1/regions/check has", async () => {
  const { stdout, exitCode } = await runCaptured(["region", "coverage", "--json", "--pd", pd.address]);
  const response = await fetch(`http://${pd.httpAddress}/api/v1/regions/check`);
  expect(await response.json()).toEqual(JSON.parse(stdout));
  expect(exitCode).toBe(0);
});

test("rdb events --json prints what /api/v1/events says, until Ctrl-C", async () => {
  const interrupt = new AbortController();
  const printing = runCaptured(["events", "--json", "--pd", pd.address], { interrupt: interrupt.signal });
  await vi.waitUntil(() => pd.driver.events.hasReaders);
  pd.driver.events.emit({ kind: "store", storeId: storeId(1) });
  pd.driver.events.emit({ kind: "region", regionId: regionId(1) });
  setTimeout(() => interrupt.abort(), 200);
  const { stdout, exitCode } = await printing;
  const [store, region] = stdout.split("\n", 2).map((line) => JSON.parse(line) as Document);
  expect(store).toMatchObject({ event: "store", data: { id: 1 } });
  expect(region).toMatchObject({ event: "region", data: { id: 1 } });
  expect(exitCode).toBe(0);
});

// Every operation of the admin API, and the command that does the same.
const commandOf: Readonly<Record<string, string>> = {
  "GET /health/live": "doctor",
  "GET /health/ready": "doctor",
  "GET /cluster": "cluster status",
  "GET /stores": "store list",
  "GET /stores/{storeId}": "store show",
  "PATCH /stores/{storeId}/labels": "store label",
  "PATCH /stores/{storeId}/limits": "store limit",
  "POST /stores/{storeId}/decommission": "store decommission",
  "DELETE /stores/{storeId}/decommission": "store cancel-decommission",
  "POST /stores/{storeId}/leader-eviction": "store evict-leaders",
  "DELETE /stores/{storeId}/leader-eviction": "store evict-leaders --stop",
  "GET /regions": "region list",
  "GET /regions/by-key": "region key",
  "GET /regions/{regionId}": "region show",
  "GET /regions/{regionId}/peers": "region peers",
  "GET /regions/{regionId}/siblings": "region siblings",
  "GET /regions/check": "region coverage",
  "GET /regions/hot": "region hot",
  "POST /regions/{regionId}/split": "region split",
  "POST /regions/{regionId}/merge": "region merge",
  "POST /regions/scatter": "region scatter",
  "POST /regions/{regionId}/replica-check": "region check",
  "GET /regions/{regionId}/explain": "operator explain",
  "GET /operators": "operator list",
  "POST /operators": "region move",
  "GET /operators/history": "operator history",
  "GET /operators/{operatorId}": "operator show",
  "DELETE /operators/{operatorId}": "operator cancel",
  "GET /schedulers": "scheduler list",
  "POST /schedulers/{name}/pause": "scheduler pause",
  "POST /schedulers/{name}/resume": "scheduler resume",
  "GET /config/placement": "scheduler config",
  "PATCH /config/placement": "scheduler config",
  "GET /members": "pd members",
  "POST /members": "pd add-member",
  "DELETE /members/{memberId}": "pd remove-member",
  "POST /members/{memberId}/lead": "pd transfer-leader",
  "POST /recoveries/plan": "unsafe-recover",
  "POST /recoveries": "unsafe-recover",
  "GET /recoveries": "unsafe-recover",
  "DELETE /recoveries/{recoveryId}": "unsafe-recover",
  "GET /flows": "top",
  "GET /data": "scan",
  "PUT /data": "put",
  "DELETE /data": "delete",
  "GET /events": "events",
};

/** What has no command: the API's own description, and the picture that the dashboard draws. */
const hasNoCommand = /^GET \/(docs|openapi\.json|heatmap)$/;

test("every operation of the admin API has a command", async () => {
  const response = await fetch(`http://${pd.httpAddress}/api/v1/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, object> };
  const operations = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .map((operation) => operation.replace("/api/v1", ""))
    .filter((operation) => !hasNoCommand.test(operation));
  expect(operations.sort()).toEqual(Object.keys(commandOf).sort());
  for (const command of new Set(Object.values(commandOf))) {
    const { exitCode, stdout } = await runCaptured([...command.split(" "), "--help"]);
    expect([exitCode, stdout.split(" [")[0]?.split(" <")[0]]).toEqual([
      0,
      `Usage: rdb ${command.replace(" --stop", "")}`,
    ]);
  }
});

/** Without what changes from one look to the next, and the second form of keys, which the command line leaves out. */
function comparable(document: Document): Document {
  const { startKeyHex: _start, endKeyHex: _end, lastWord: _word, ...rest } = document;
  return rest;
}
