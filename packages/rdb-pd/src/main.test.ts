import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { createClient } from "@connectrpc/connect";
import { PdService } from "@flaredb/rdb-proto";
import { type UnaryTransport, unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const program = new URL("../bin/rdb-pd.mjs", import.meta.url).pathname;

let folder: string;
const children = new Set<PdProcess>();
const connections: UnaryTransport[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-pd-process-"));
});

afterEach(async () => {
  for (const connection of connections.splice(0)) {
    connection.close();
  }
  for (const child of children) {
    await child.end("SIGKILL");
  }
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

interface Ready {
  readonly type: "ready";
  readonly address: string;
  readonly clusterId: number;
}

/** A process `rdb-pd`. */
class PdProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly ready: Promise<Ready>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#exited = new Promise((resolve) => this.#child.once("close", resolve));
    this.ready = new Promise((resolve) =>
      this.#child.once("message", (message) => resolve(message as Ready)),
    );
    children.add(this);
  }

  /** Its exit code; null when a signal ended it. */
  exit(): Promise<number | null> {
    return this.#exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when this stands in its log. */
  async says(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      await once(this.#child.stdout as Readable, "data");
    }
  }

  end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }
}

function start(...args: readonly string[]): PdProcess {
  return new PdProcess(["--data-dir", join(folder, "pd"), "--port", "0", "--http-port", "0", ...args]);
}

async function allocate(pd: PdProcess, count: number): Promise<bigint> {
  const { address } = await pd.ready;
  const connection = unaryTransport(address);
  connections.push(connection);
  return (await createClient(PdService, connection.transport).allocateIds({ count })).firstId;
}

describe("the process", () => {
  test("says on stdout and to its parent that it is ready, and ends in good order on SIGTERM", async () => {
    const pd = start("--log-level", "warn");
    const { address, clusterId } = await pd.ready;
    const line = JSON.parse(pd.stdout.split("\n").find((each) => each.includes('"ready"')) ?? "{}");
    expect(line).toMatchObject({ msg: "ready", address, clusterId });
    expect(await pd.end("SIGTERM")).toBe(0);
    expect(pd.stderr).toBe("");
  });

  test("SPEC-M7: ids never repeat and the cluster stays itself through kill -9", async () => {
    const firstIds: bigint[] = [];
    const clusterIds = new Set<number>();
    for (let run = 0; run < 3; run++) {
      const pd = start();
      clusterIds.add((await pd.ready).clusterId);
      firstIds.push(await allocate(pd, 10));
      expect(await pd.end("SIGKILL")).toBeNull();
    }
    expect(clusterIds.size).toBe(1);
    const gaps = firstIds.slice(1).map((id, at) => id - (firstIds[at] ?? id));
    expect(gaps.every((gap) => gap >= 10n)).toBe(true);
  });

  test("--check-config touches no port and no folder, and names every problem", async () => {
    const holder = start();
    const port = (await holder.ready).address.split(":")[1] ?? "";
    const dataDir = join(folder, "other");
    const right = new PdProcess(["--check-config", "--data-dir", dataDir, "--port", port]);
    expect(await right.exit()).toBe(0);
    expect(right.stdout).toBe("rdb-pd: the configuration is right\n");
    const wrong = new PdProcess(["--check-config", "--port", "x", "--replicas", "10"]);
    expect(await wrong.exit()).toBe(2);
    expect(wrong.stderr.trimEnd().split("\n")).toEqual([
      "rdb-pd: the configuration is wrong:",
      '  --port "x" must be an integer',
      "  dataDir is missing: give --data-dir or FLAREDB_PD_DATA_DIR",
      "  replicas 10 must be <= 9 (--replicas)",
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test("a start that waits for the rest of its group ends well on SIGTERM, and on a later start goes on", async () => {
    const cluster = "pd-1=127.0.0.1:1,pd-2=127.0.0.1:2,pd-3=127.0.0.1:3";
    for (let run = 0; run < 2; run++) {
      const pd = start("--initial-cluster", cluster);
      await pd.says("PreCandidate");
      expect(await pd.end("SIGTERM")).toBe(0);
      expect(pd.stderr).toBe("");
    }
  });

  test("one that waits for the group it joins says so, and ends at once on SIGTERM", async () => {
    const pd = start("--name", "pd-4", "--join", "127.0.0.1:1");
    await pd.says("waiting for the placement driver to join");
    expect(await pd.end("SIGTERM")).toBe(0);
    expect(pd.stderr).toBe("");
  });

  test("SIGHUP puts the log level of the config file in force", async () => {
    const path = join(folder, "pd.json");
    writeFileSync(path, '{ "logLevel": "warn" }');
    const pd = start("--config", path);
    await pd.ready;
    writeFileSync(path, '{ "logLevel": "loud" }');
    pd.signal("SIGHUP");
    await pd.says("the configuration is wrong: nothing was changed");
    writeFileSync(path, '{ "logLevel": "info", "replicas": 5 }');
    pd.signal("SIGHUP");
    await pd.says("the configuration was read again");
    expect(pd.stdout).toContain("the setting needs a restart to change");
    expect(await pd.end("SIGTERM")).toBe(0);
    expect(pd.stdout).toContain("stopping");
  });

  test("--help is usage on stdout", async () => {
    const pd = new PdProcess(["--help"]);
    expect(await pd.exit()).toBe(0);
    expect(pd.stdout).toContain("Usage: rdb-pd --data-dir DIR");
  });

  test.each([
    [["--replicas", "10"], "error: replicas 10 must be <= 9 (--replicas) (RDB_CONFIG_INVALID)"],
    [["--host", "0.0.0.0"], 'error: host "0.0.0.0" is not a loopback address'],
    [["--initial-regions", "t,m"], 'region 2 ["t", "m") and region 3 ["m", "")'],
    [["--bogus"], "error: Unknown option '--bogus'"],
  ])("SPEC-M5: %j is refused in one line, exit code 2", async (args, message) => {
    const pd = start(...args);
    expect(await pd.exit()).toBe(2);
    expect(pd.stderr).toContain(message);
    expect(pd.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(pd.stdout).toBe("");
  });

  test("a data folder that is in use is refused in one line, and its holder goes on", async () => {
    const holder = start();
    await holder.ready;
    const second = start();
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toContain("another process holds the data folder");
    expect(await allocate(holder, 1)).toBe(1n);
  });
});
