import net, { type AddressInfo } from "node:net";
import { RdbError } from "@flaredb/rdb-base";
import { PeerRole, StoreState } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

const peers = [1n, 2n, 3n].map((storeId) => ({ id: storeId + 10n, storeId, role: PeerRole.VOTER }));
const epoch = { confVer: 1n, version: 2n };
const encode = (text: string) => new TextEncoder().encode(text);

const low = {
  region: { id: 1n, startKey: encode(""), endKey: encode("m"), epoch, peers },
  leader: peers[0],
  term: 6n,
  approximateSizeBytes: 2048n,
  approximateKeyCount: 7n,
  downPeerIds: [12n],
  pendingPeerIds: [],
  damagedPeerIds: [13n],
  verifiedIndex: 40n,
  load: { writtenBytesPerSecond: 3072n, writtenKeysPerSecond: 12n },
};
const high = {
  region: { id: 2n, startKey: encode("m"), endKey: new Uint8Array(), epoch, peers },
  downPeerIds: [],
  pendingPeerIds: [13n],
};

/** A printed table's cells. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
}

let stop = async (): Promise<void> => {};
afterEach(() => stop());

async function pd(methods: Parameters<typeof startFakePd>[0]): Promise<string[]> {
  const fake = await startFakePd(methods);
  stop = fake.stop;
  return ["--pd", fake.address];
}

describe("SPEC-U1: region", () => {
  test("list prints a row for each Region of all pages, and what is wrong with its peers", async () => {
    const flags = await pd({
      listRegions: ({ startKey }) =>
        startKey.length === 0 ? { routes: [low], nextKey: encode("m") } : { routes: [high] },
    });
    const { exitCode, stdout } = await runCaptured(["region", "list", ...flags]);
    expect(cells(stdout)).toEqual([
      ["REGION", "START KEY", "END KEY", "LEADER", "PEERS", "EPOCH", "SIZE", "KEYS", "WRITES", "READS"],
      ["1", '""', '"m"', "Store 1", "1, 2 (down), 3 (damaged)", "1/2", "2.0 KiB", "7", "3.0 KiB/s", "0 B/s"],
      ["2", '"m"', '""', "none", "1, 2, 3 (behind)", "1/2", "0 B", "0", "0 B/s", "0 B/s"],
    ]);
    expect(exitCode).toBe(0);
  });

  test("list --json prints one document of numbers and text", async () => {
    const flags = await pd({ listRegions: () => ({ routes: [low] }) });
    const { stdout } = await runCaptured(["region", "list", "--json", ...flags]);
    expect(JSON.parse(stdout)).toEqual([
      {
        id: 1,
        startKey: "",
        endKey: "m",
        epoch: { confVer: 1, version: 2 },
        peers: [1, 2, 3].map((storeId) => ({ id: storeId + 10, storeId, role: "voter" })),
        leader: { id: 11, storeId: 1, role: "voter" },
        term: 6,
        approximateSizeBytes: 2048,
        approximateKeyCount: 7,
        downPeerIds: [12],
        pendingPeerIds: [],
        damagedPeerIds: [13],
        verifiedIndex: 40,
        load: {
          writtenBytesPerSecond: 3072,
          writtenKeysPerSecond: 12,
          readBytesPerSecond: 0,
          readKeysPerSecond: 0,
        },
        reportedMs: 0,
      },
    ]);
  });

  test("show and key print the peers with their Stores' addresses", async () => {
    const stores = [{ id: 1n, address: "127.0.0.1:7410" }];
    const flags = await pd({
      getRegionById: () => ({ route: low, stores }),
      getRegion: ({ key }) => ({ route: key[0] === 0xff ? high : low, stores }),
    });
    const shown = await runCaptured(["region", "show", "1", ...flags]);
    expect(shown.stdout).toContain("peer 11 on Store 1 at 127.0.0.1:7410 (voter, leader)\n");
    expect(shown.stdout).toContain("load:       3.0 KiB/s in 12 keys/s written, 0 B/s in 0 keys/s read\n");
    expect(shown.stdout).toContain("the peers had the same rows at index 40\n");
    const ofKey = await runCaptured(["region", "key", "ff", "--hex", "--json", ...flags]);
    expect(JSON.parse(ofKey.stdout)).toMatchObject({ id: 2, startKeyHex: "6d", leader: null });
  });

  test("peers, and show below the rest, print how far each peer is", async () => {
    const progress = { term: 6n, commitIndex: 90n, appliedIndex: 89n, firstIndex: 1n, lastIndex: 95n };
    const asLeaderSees = { state: "replicate", matchIndex: 91n, nextIndex: 96n, lagCount: 4n, isAlive: true };
    const voter = (id: bigint, storeId: bigint) => ({ id, storeId, role: PeerRole.VOTER });
    const fake = await startFakePd(
      { getRegionById: () => ({ route: low, stores: [] }) },
      {
        getRegionPeers: () => ({
          peers: [
            { peer: voter(11n, 1n), isLeader: true, ...progress },
            { peer: voter(12n, 2n), isAsleep: true, ...progress, asLeaderSees },
            { peer: voter(13n, 3n), failure: "it does not answer in time" },
          ],
        }),
      },
    );
    stop = fake.stop;
    const flags = ["--pd", fake.address];
    const { stdout } = await runCaptured(["region", "peers", "1", ...flags]);
    expect(stdout.split("\n").map((line) => line.trim().split(/ {2,}/))).toEqual([
      ["PEER", "STORE", "ROLE", "TERM", "COMMIT", "APPLIED", "LAST", "MATCH", "LAG", "STATE"],
      ["11", "1", "voter", "6", "90", "89", "95", "–", "–", "leader"],
      ["12", "2", "voter", "6", "90", "89", "95", "91", "4", "replicate, asleep"],
      ["13", "3", "voter", "–", "–", "–", "–", "–", "–", "it does not answer in time"],
      [""],
    ]);
    const shown = await runCaptured(["region", "show", "1", ...flags]);
    expect(shown.stdout.endsWith(`\n\n${stdout}`)).toBe(true);
    const json = await runCaptured(["region", "peers", "1", "--json", ...flags]);
    expect(JSON.parse(json.stdout)).toMatchObject([
      { id: 11, isLeader: true, asLeaderSees: null },
      { id: 12, asLeaderSees: { lagCount: 4, state: "replicate" } },
      { id: 13, failure: "it does not answer in time" },
    ]);
  });

  test("show says on stderr that there is none, and exits with 1", async () => {
    const flags = await pd({
      getRegionById: () => {
        throw new RdbError("RDB_NOT_FOUND", "there is no Region 9");
      },
    });
    const { exitCode, stdout, stderr } = await runCaptured(["region", "show", "9", ...flags]);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "error: there is no Region 9\n",
    });
    const asJson = await runCaptured(["region", "show", "9", "--json", ...flags]);
    expect(JSON.parse(asJson.stderr)).toEqual({
      error: { code: "RDB_NOT_FOUND", message: "there is no Region 9", details: {} },
    });
  });
});

describe("SPEC-U1: store", () => {
  const status = {
    store: {
      ...{ id: 1n, address: "127.0.0.1:7410", state: StoreState.UP, labels: { host: "a" } },
      ...{ programVersion: "0.1.0", clusterVersion: 2 },
    },
    stats: { capacityBytes: 100n, availableBytes: 50n, usedBytes: 10n, isSlow: true },
    regionCount: 2,
    leaderCount: 1,
  };

  test("list and show print state and load", async () => {
    const flags = await pd({ listStores: () => ({ statuses: [status] }), getStore: () => ({ status }) });
    const list = await runCaptured(["store", "list", ...flags]);
    expect(cells(list.stdout)[1]).toEqual([
      "1",
      "127.0.0.1:7410",
      "up, slow disk",
      "0.1.0 (2)",
      "2",
      "1",
      "10 B",
      "50 B",
      "0 B",
      "never",
      "host=a",
    ]);
    const show = await runCaptured(["store", "show", "1", ...flags]);
    expect(show.stdout).toContain("10 B used, 50 B of 100 B available");
    const json = await runCaptured(["store", "list", "--json", ...flags]);
    expect(JSON.parse(json.stdout)).toMatchObject([
      { id: 1, state: "up", isSlow: true, labels: { host: "a" } },
    ]);
  });
});

test("SPEC-U1: store list shows what is being emptied and what must not lead", async () => {
  const draining = { store: { id: 4n, state: StoreState.DRAINING }, evictsLeaders: true };
  const flags = await pd({ listStores: () => ({ statuses: [draining] }) });
  const { stdout } = await runCaptured(["store", "list", ...flags]);
  expect(stdout).toContain("draining, evicting leaders");
  const json = await runCaptured(["store", "list", "--json", ...flags]);
  expect(JSON.parse(json.stdout)).toMatchObject([{ state: "draining", evictsLeaders: true }]);
});

describe("SPEC-U1: cluster status", () => {
  const healthy = {
    clusterId: 7n,
    bootstrapped: true,
    bootstrapStoreCount: 3,
    registeredStoreCount: 3,
    upStoreCount: 3,
    regionCount: 2,
    regionWithLeaderCount: 2,
  };

  /** A Store that answers, one whose disk is full, and a full one that is gone for good. */
  const stores = (isFull: boolean) => ({
    statuses: [
      { store: { id: 1n, state: StoreState.UP }, stats: { isFull: false } },
      { store: { id: 2n, state: StoreState.UP }, stats: { isFull } },
      { store: { id: 3n, state: StoreState.TOMBSTONE }, stats: { isFull: true } },
    ],
  });
  const listStores = () => stores(false);

  test("exits with 0 when all is well", async () => {
    const routes = [high];
    const flags = await pd({ getClusterInfo: () => healthy, listRegions: () => ({ routes }), listStores });
    const { exitCode, stdout } = await runCaptured(["cluster", "status", ...flags]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("health:   all is well\n");
  });

  test("says for whom the newest cluster version waits", async () => {
    const waiting = {
      ...{ ...healthy, programVersion: "0.1.0", clusterVersion: 1, newestClusterVersion: 2 },
      clusterVersionWaitsFor: ["the program of Store 3 knows version 1"],
    };
    const flags = await pd({
      getClusterInfo: () => waiting,
      listRegions: () => ({ routes: [high] }),
      listStores,
    });
    const { stdout } = await runCaptured(["cluster", "status", ...flags]);
    expect(stdout).toContain(
      "version:  0.1.0, cluster version 1; for 2 it waits: the program of Store 3 knows version 1\n",
    );
  });

  test("exits with 1 and says what is missing", async () => {
    const flags = await pd({
      getClusterInfo: () => ({ ...healthy, upStoreCount: 2, regionWithLeaderCount: 1 }),
      listRegions: () => ({ routes: [high] }),
      listStores,
    });
    const { exitCode, stdout } = await runCaptured(["cluster", "status", ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("1 of 3 Stores does not answer; 1 of 2 Regions has no leader");
  });

  test("is not well while Regions have peers on a Store that is gone for good, though all others are up", async () => {
    const routes = [{ ...low, damagedPeerIds: [] }, high];
    const flags = await pd({ getClusterInfo: () => healthy, listRegions: () => ({ routes }), listStores });
    const { exitCode, stdout } = await runCaptured(["cluster", "status", ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^health: +1 of 2 Regions has peers that are down\nwhat to do: +they bear fewer losses .*rdb operator explain/m,
    );
  });

  test("is not well with a full disk, a damaged peer or a silent member of the placement driver", async () => {
    const members = [1n, 2n].map((id) => ({ id, name: `pd-${id}`, isUp: id === 1n }));
    const flags = await pd({
      getClusterInfo: () => ({ ...healthy, members, leaderMemberId: 1n }),
      listRegions: () => ({ routes: [{ ...high, damagedPeerIds: [5n] }] }),
      listStores: () => stores(true),
    });
    const { exitCode, stdout } = await runCaptured(["cluster", "status", "--json", ...flags]);
    expect(exitCode).toBe(1);
    const { findings } = JSON.parse(stdout) as { readonly findings: unknown };
    expect(findings).toMatchObject([
      { kind: "full-disks", message: "the disk of Store 2 is nearly full: it takes no writes" },
      { kind: "damaged-peers" },
      { kind: "silent-members", message: expect.stringContaining("pd-2") },
    ]);
  });
});

describe("the placement driver's address", () => {
  test("is taken from RDB_PD, and the first of several that answers is used", async () => {
    const [, address] = await pd({ listStores: () => ({}) });
    const { exitCode } = await runCaptured(["store", "list"], { env: { RDB_PD: `127.0.0.1:1,${address}` } });
    expect(exitCode).toBe(0);
  });

  test("that answers nothing is named, with what to do", async () => {
    const { exitCode, stderr } = await runCaptured(["store", "list", "--pd", "127.0.0.1:1"]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: no placement driver answers at 127\.0\.0\.1:1 .*`npm start` starts one/);
  });

  test("that takes the call and never answers is given up in time", async () => {
    const flags = await pd({ listStores: () => new Promise(() => {}) });
    const { exitCode, stderr } = await runCaptured(["store", "list", "--timeout", "200ms", ...flags]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: no placement driver answers at .* \(no answer in time\)/);
  });

  test("that is something else's is named, whatever that says", async () => {
    const server = net.createServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9\r\n"));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { exitCode, stderr } = await runCaptured(["store", "list", "--pd", address]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error: no placement driver answers at ${address} (`);
    const store = await pd({});
    const unimplemented = await runCaptured(["store", "list", ...store]);
    expect(unimplemented.stderr).toContain(`error: no placement driver answers at ${store[1]} (`);
    server.close();
  });

  test.each(["nonsense", "host:", "host:0", "host:65536", ":7400", "a:1,,b:1"])(
    "%j is refused",
    async (address) => {
      const { exitCode, stderr } = await runCaptured(["store", "list", "--pd", address]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("must be HOST:PORT");
    },
  );
});

describe("wrong usage exits with 2 and names what is wrong", () => {
  const cases: [string[], string][] = [
    [["nonsense"], "unknown command 'nonsense'"],
    [["region", "nonsense"], "unknown command 'nonsense'"],
    [["--timeout", "3s", "server"], "the options of `rdb server` stand behind it"],
    [["get", "k", "--nonsense"], "unknown option '--nonsense'"],
    [["get"], "missing required argument 'key'"],
    [["get", "a", "b"], "too many arguments"],
    [["get", ""], "key is empty: it must have 1 to 4096 bytes"],
    [["get", "k".repeat(5000)], "key of 5000 bytes is too long: the limit is 4096 bytes"],
    [["get", "abc", "--hex"], 'key "abc" must be an even number of hexadecimal digits'],
    [["put", "k"], "value must be given once"],
    [["scan", "--start", "b", "--end", "a"], 'start "b" is after end "a"'],
    [["scan", "--limit", "-1"], "limit -1 must be a whole number from 1"],
    [["scan", "--prefix", "a", "--end", "b"], "--prefix cannot be combined"],
    [["cas", "k", "v"], "exactly one expectation must be given"],
    [["cas", "k", "v", "--expect-absent", "--expect-version", "1"], "exactly one expectation must be given"],
    [["cas", "k", "v", "--expect-version", "0"], "expect-version 0 must be a whole number from 1"],
    [["region", "show", "x"], "id x must be a whole number from 1"],
    [["region", "move", "1", "--from", "2"], "required option '--to <store>' not specified"],
    [["region", "add-peer", "1", "--store", "x"], "store x must be a whole number from 1"],
    [["operator", "history", "--limit", "0"], "limit 0 must be a whole number from 1 to 1000"],
    [["scheduler", "config", "=1"], 'setting "=1" must be NAME=VALUE'],
    [["get", "k", "--timeout", "1h"], "timeout 1h must be a time"],
    [["playground", "--stores", "11"], "--stores 11 must be a whole number from 1 to 10"],
    [
      ["playground", "--stores", "2", "--bootstrap-stores", "3"],
      "--bootstrap-stores 3 must be a whole number from 1 to 2",
    ],
    [["playground", "--region-split-size", "32"], 'region-split-size "32" must be a number with its unit'],
    [["playground", "--tmp", "--data", "x"], "--tmp and --data exclude each other"],
    [["playground", "--base-port", "65530"], "--base-port 65530 must be a whole number from 1 to 65506"],
    [["playground", "--initial-regions", "m,a"], 'split keys must ascend, and "a" comes after "m"'],
  ];

  test.each(cases)("$1", async (args, message) => {
    const text = await runCaptured(args);
    expect(text.stderr).toContain(message);
    expect(text.exitCode).toBe(2);
    expect(text.stdout).toBe("");
    const json = await runCaptured([...args, "--json"]);
    expect(JSON.parse(json.stderr).error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(JSON.parse(json.stderr).error.message).toContain(message);
    expect(json.exitCode).toBe(2);
  });
});

test("help goes to stdout and exits with 0", async () => {
  const { exitCode, stdout, stderr } = await runCaptured(["--help"]);
  expect(exitCode).toBe(0);
  const headings = stdout.split("\n").filter((line) => /^[A-Z].*:$/.test(line));
  expect(headings).toEqual([
    "Keys and values:",
    "The cluster:",
    "Running it:",
    "Options:",
    "For every command:",
    "Examples:",
  ]);
  expect(stderr).toBe("");
});

test("a key that begins with a dash follows two dashes", async () => {
  const { exitCode, stderr } = await runCaptured(["region", "key", "--pd", "127.0.0.1:1", "--", "-key"]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("no placement driver answers");
});

test("--version prints the version", async () => {
  const { exitCode, stdout } = await runCaptured(["--version"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test("no command at all prints the help on stderr and exits with 2", async () => {
  const { exitCode, stdout, stderr } = await runCaptured([]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Usage: rdb <command> [options]");
  expect(stdout).toBe("");
});
