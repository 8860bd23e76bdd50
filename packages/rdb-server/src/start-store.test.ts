import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { RdbError, peerId, regionId, silentLogger, systemClock, systemRandom } from "@flaredb/rdb-base";
import { KvService, regionToProto } from "@flaredb/rdb-proto";
import { WritePart, openRocksEngine, writeIdent } from "@flaredb/rdb-storage";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseStoreConfig } from "./config.ts";
import type { RunningStore } from "./run-store.ts";
import { startStore } from "./start-store.ts";
import { FakePd } from "./testing/fake-pd.ts";
import { voterOn } from "./testing/peer-messages.ts";

let folder: string;
let pd: FakePd;
let running: RunningStore[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rdb-store-"));
  pd = await new FakePd().listen();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((each) => each.close()));
  await pd.close();
  await rm(folder, { recursive: true });
});

const text = new TextEncoder();

async function start(options: Record<string, unknown> = {}): Promise<RunningStore> {
  const config = parseStoreConfig({
    dataDir: join(folder, "data"),
    port: 0,
    httpPort: 0,
    pdAddresses: [pd.address],
    disk: { reserveBytes: 0 },
    ...options,
  });
  const store = await startStore(config, {
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
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

test("SPEC-R1: one Store alone elects itself, takes a write, and has it after a restart without PD", async () => {
  const store = await start();
  // Until the peer is made here, the key's Region is not known anywhere.
  pd.onGetRegion = () => {
    throw new RdbError("RDB_REGION_NOT_FOUND", "ask again");
  };
  createOnlyPeer();
  const { transport, close } = unaryTransport(store.address);
  const put = await createClient(KvService, transport).put({
    key: text.encode("k"),
    value: text.encode("v"),
  });
  expect(put.version).toBe(1n);
  close();
  await store.close();
  await pd.close();

  const again = await start();
  expect(again.ident).toEqual(store.ident);
  const wire = unaryTransport(again.address);
  const got = await createClient(KvService, wire.transport).get({ key: text.encode("k") });
  wire.close();
  expect(got).toMatchObject({ found: true, version: 1n });
  expect(Buffer.from(got.value).toString()).toBe("v");
}, 20_000);

test("a folder that another process holds is refused, and that process goes on", async () => {
  const store = await start();
  await expect(start()).rejects.toMatchObject({
    code: "RDB_DATA_LOCKED",
    message: expect.stringContaining(join(folder, "data")),
  });
  const health = await fetch(`http://${store.httpAddress}/health`);
  expect(health.status).toBe(200);
});

test("a port in use is refused before the folder is made", async () => {
  const store = await start();
  const port = Number(store.address.split(":")[1]);
  const dataDir = join(folder, "other");
  await expect(start({ dataDir, port })).rejects.toMatchObject({ code: "RDB_ADDRESS_IN_USE" });
  const httpPort = Number(store.httpAddress.split(":")[1]);
  await expect(start({ dataDir, httpPort })).rejects.toMatchObject({ code: "RDB_ADDRESS_IN_USE" });
  expect(existsSync(dataDir)).toBe(false);
});

test("a folder of a newer format is refused, and as it was", async () => {
  const store = await start();
  await store.close();
  await writeFile(join(folder, "data", "FORMAT"), "flaredb-data 99\n");
  await expect(start()).rejects.toMatchObject({ code: "RDB_DATA_FORMAT" });
  // Nothing is left open: with its format back, the folder starts.
  await writeFile(join(folder, "data", "FORMAT"), "flaredb-data 1\n");
  expect((await start()).ident).toEqual(store.ident);
}, 20_000);

test("a folder of a placement driver is refused", async () => {
  const path = join(folder, "data");
  const engine = await openRocksEngine({
    path,
    clock: systemClock,
    onFatal: (error) => {
      throw error;
    },
  });
  const part = new WritePart();
  writeIdent(part, { kind: "PD", clusterId: 7, memberId: peerId(1) });
  engine.submit(part);
  await engine.close();
  await expect(start()).rejects.toMatchObject({ code: "RDB_DATA_FOREIGN" });
  expect(pd.of("register")).toEqual([]);
});

test("a new Store that PD refuses ends with PD's reason and leaves nothing open", async () => {
  pd.onRegister = () => {
    throw new RdbError("RDB_CLUSTER_MISMATCH", "this is another cluster");
  };
  await expect(start()).rejects.toMatchObject({ code: "RDB_CLUSTER_MISMATCH" });
  pd.onRegister = () => {};
  await start();
});

// The process.

const program = new URL("../bin/rdb-server.mjs", import.meta.url).pathname;

interface Run {
  readonly child: ChildProcess;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<number | null>;
}

function run(...args: string[]): Run {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  return { child, output, exited: once(child, "close").then(([code]) => code as number | null) };
}

test("the process says that it is ready, logs JSON lines, and ends well on SIGTERM", async () => {
  const data = join(folder, "data");
  const process = run("--data-dir", data, "--port", "0", "--http-port", "0", "--pd", pd.address);
  const [message] = (await once(process.child, "message")) as [Record<string, unknown>];
  expect(message).toMatchObject({
    type: "ready",
    storeId: 1,
    clusterId: 77,
    address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    httpAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    pid: process.child.pid,
  });
  process.child.kill("SIGTERM");
  expect(await process.exited).toBe(0);
  expect(process.output.stderr).toBe("");
  const lines = process.output.stdout.trim().split("\n");
  const last = lines.map((line) => JSON.parse(line) as { msg: string }).map(({ msg }) => msg);
  expect(last).toContain("ready");
  expect(last).toContain("stopping");
}, 20_000);

test("a start that waits for PD ends well on SIGTERM too", async () => {
  await pd.close();
  const process = run(
    "--data-dir",
    join(folder, "data"),
    "--port",
    "0",
    "--http-port",
    "0",
    "--pd",
    pd.address,
  );
  while (!process.output.stdout.includes("not registered yet")) {
    await once(process.child.stdout as NodeJS.ReadableStream, "data");
  }
  process.child.kill("SIGTERM");
  expect(await process.exited).toBe(0);
}, 20_000);

test.each<[string, string[], string]>([
  ["an unknown flag", ["--prot", "1"], "error: Unknown option '--prot'"],
  [
    "a port out of range",
    ["--data-dir", "d", "--port", "70000"],
    "error: port 70000 must be <= 65535 (--port) (RDB_CONFIG_INVALID)\n",
  ],
  ["an address beyond loopback", ["--data-dir", "d", "--host", "0.0.0.0"], "--insecure"],
  [
    "no data folder",
    [],
    "error: dataDir is missing: give --data-dir or FLAREDB_SERVER_DATA_DIR (RDB_CONFIG_INVALID)\n",
  ],
])(
  "the process refuses %s in one line",
  async (_name, args, line) => {
    const process = run(...args);
    expect(await process.exited).toBe(2);
    expect(process.output.stderr).toContain(line);
    expect(process.output.stderr.trim().split("\n").length).toBe(1);
    expect(process.output.stdout).toBe("");
  },
  20_000,
);
