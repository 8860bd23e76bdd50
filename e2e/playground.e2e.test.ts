import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePortBlock } from "./free-ports.ts";
import { PlaygroundProcess, isAlive, memberPid } from "./playground-process.ts";
import { rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";

let folder = "";
let data = "";
let basePort = 0;
let running: PlaygroundProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-playground-"));
  data = join(folder, "data");
  basePort = await freePortBlock(30);
});

afterEach(async () => {
  for (const playground of running) {
    playground.signal("SIGTERM");
    await playground.ended();
  }
  running = [];
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: string[]): PlaygroundProcess {
  const playground = new PlaygroundProcess(["--base-port", String(basePort), ...args]);
  running.push(playground);
  return playground;
}

const pdFlag = (): string[] => ["--pd", `127.0.0.1:${basePort}`];

/** Starts one that must be refused: in one line, with exit code 1. */
async function refused(...args: string[]): Promise<string> {
  const playground = start(...args);
  expect(await playground.ended()).toBe(1);
  expect(playground.output.trim().split("\n")).toHaveLength(1);
  return playground.output;
}

test("a first start makes two Regions; what is written is there at the next start; Ctrl-C stops all", async () => {
  const first = start("--data", data, "--initial-regions", "m");
  await first.ready();
  expect(first.output).toContain("FlareDB serves 2 Regions on 3 Stores");
  expect(first.output).toContain(`npx rdb put apple 1 --pd 127.0.0.1:${basePort}`);
  expect((await rdb(["put", "apple", "1", ...pdFlag()])).exitCode).toBe(0);
  expect((await rdb(["put", "zebra", "2", ...pdFlag()])).exitCode).toBe(0);

  const list = await rdb(["region", "list", "--json", ...pdFlag()]);
  const regions = JSON.parse(list.stdout) as { startKey: string; leader: object | null; peers: object[] }[];
  expect(regions.map(({ startKey }) => startKey)).toEqual(["", "m"]);
  for (const region of regions) {
    expect(region.leader).not.toBeNull();
    expect(region.peers).toHaveLength(3);
  }

  const pids = ["pd", "store-1", "store-2", "store-3"].map((member) => memberPid(data, member));
  expect(pids.every(isAlive)).toBe(true);
  expect(await first.interrupt()).toBe(0);
  expect(pids.some(isAlive)).toBe(false);

  const second = start("--data", data, "--initial-regions", "x");
  await second.ready();
  expect(second.output).toContain("--initial-regions counts at the first start only: the cluster in");
  expect((await rdb(["get", "apple", ...pdFlag()])).stdout).toBe("1\n");
  expect((await rdb(["scan", ...pdFlag()])).stdout).toBe("apple\t1\nzebra\t2\n");
  expect(await second.interrupt()).toBe(0);
});

test("a Store that is killed is started again, with a message, and nothing is lost", async () => {
  const playground = start("--data", data);
  await playground.ready();
  await rdb(["put", "apple", "1", ...pdFlag()]);
  process.kill(memberPid(data, "store-2"), "SIGKILL");
  await playground.says(/store-2 died \(SIGKILL\), starting it again/);
  await playground.says(/store-2 serves again after/);
  expect((await rdb(["get", "apple", ...pdFlag()])).stdout).toBe("1\n");
});

test("when the playground itself is killed, its processes stop, and the next start works", async () => {
  const playground = start("--data", data, "--stores", "1");
  await playground.ready();
  await rdb(["put", "apple", "1", ...pdFlag()]);
  const pids = ["pd", "store-1"].map((member) => memberPid(data, member));
  process.kill(Number(readFileSync(join(data, "playground.lock"), "utf8").split(" ")[0]), "SIGKILL");
  const next = start("--data", data);
  await next.ready();
  expect(pids.some(isAlive)).toBe(false);
  expect((await rdb(["get", "apple", ...pdFlag()])).stdout).toBe("1\n");
});

test("--tmp leaves nothing behind", async () => {
  const playground = start("--tmp", "--stores", "1");
  await playground.ready();
  const temporary = /data +(\S+) \(removed at the end\)/.exec(playground.output)?.[1] ?? "";
  expect(existsSync(temporary)).toBe(true);
  expect(await playground.interrupt()).toBe(0);
  expect(existsSync(temporary)).toBe(false);
});

test("more Stores join a cluster; fewer are refused", async () => {
  const first = start("--data", data, "--stores", "1");
  await first.ready();
  await rdb(["put", "apple", "1", ...pdFlag()]);
  await first.interrupt();
  const second = start("--data", data, "--stores", "2");
  await second.ready();
  const list = await rdb(["store", "list", "--json", ...pdFlag()]);
  expect(JSON.parse(list.stdout)).toHaveLength(2);
  expect((await rdb(["get", "apple", ...pdFlag()])).stdout).toBe("1\n");
  await second.interrupt();
  expect(await refused("--data", data, "--stores", "1")).toMatch(
    /^error: the cluster in .* has 2 Stores .* start it with --stores 2 or more/,
  );
});

test("a port in use is named, and nothing is touched", async () => {
  const server = net.createServer();
  await new Promise<void>((resolve) => {
    server.listen({ host: "127.0.0.1", port: basePort + 11 }, resolve);
  });
  try {
    const output = await refused("--data", data);
    expect(output).toContain(
      `error: port ${basePort + 11} (store-2) in use: stop what listens there, or choose`,
    );
    expect(existsSync(data)).toBe(false);
  } finally {
    server.close();
  }
});

test("a folder with other things in it is refused and left as it is", async () => {
  mkdirSync(data);
  writeFileSync(join(data, "letter.txt"), "dear");
  expect(await refused("--data", data)).toMatch(/^error: the folder .* holds other things .* with --data/);
  expect(readdirSync(data)).toEqual(["letter.txt"]);
});

test("a folder that another playground holds, one of a newer layout or format, and a foreign Store are refused", async () => {
  const playground = start("--data", data, "--stores", "1");
  await playground.ready();
  const held = await refused("--data", data, "--base-port", String(await freePortBlock(30)));
  expect(held).toMatch(/^error: the data folder .* is in use by process \d+: stop it first/);
  await playground.interrupt();

  const formatFile = join(data, "store-1", "FORMAT");
  const format = readFileSync(formatFile, "utf8");
  writeFileSync(formatFile, "flaredb-data 9\n");
  expect(await refused("--data", data)).toMatch(/^error: the data folder .*store-1 has format 9/);
  writeFileSync(formatFile, format);

  const ownerFile = join(data, "store-1", "PLAYGROUND");
  const owner = readFileSync(ownerFile, "utf8");
  writeFileSync(ownerFile, "another\n");
  expect(await refused("--data", data)).toMatch(/^error: .*store-1 belongs to another cluster/);
  writeFileSync(ownerFile, owner);

  const clusterFile = join(data, "playground.json");
  writeFileSync(clusterFile, readFileSync(clusterFile, "utf8").replace('"layout": 1', '"layout": 2'));
  expect(await refused("--data", data)).toMatch(
    /^error: the data folder .* has layout 2, this program knows 1/,
  );
});

test("wrong options exit with 2", async () => {
  const playground = start("--stores", "0");
  expect(await playground.ended()).toBe(2);
  expect(playground.output).toContain("--stores 0 must be a whole number from 1 to 10");
});

test("a second Ctrl-C ends what does not stop", async () => {
  const playground = start("--data", data, "--stores", "1");
  await playground.ready();
  const store = memberPid(data, "store-1");
  process.kill(store, "SIGSTOP");
  const startedMs = performance.now();
  playground.signal("SIGINT");
  await playground.says(/stopping/);
  await waitFor("the second Ctrl-C", 5_000, () => performance.now() - startedMs > 1_000);
  expect(await playground.interrupt()).toBe(0);
  expect(isAlive(store)).toBe(false);
  expect(performance.now() - startedMs).toBeLessThan(8_000);
});
