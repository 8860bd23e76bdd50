import { stripVTControlCharacters } from "node:util";
import { PeerRole, StoreState } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function route(id: bigint, [start, end]: readonly [string, string], leader: bigint, load: object) {
  const peers = [1n, 2n].map((storeId) => ({ id: id * 10n + storeId, storeId, role: PeerRole.VOTER }));
  const region = { id, startKey: encode(start), endKey: encode(end), peers };
  return { region, leader: peers[Number(leader) - 1], load, approximateSizeBytes: 2048n };
}

const routes = [
  route(1n, ["", "g"], 1n, {
    writtenBytesPerSecond: 100n,
    writtenKeysPerSecond: 10n,
    readBytesPerSecond: 9n,
  }),
  route(2n, ["g", "t"], 2n, { writtenBytesPerSecond: 300n, writtenKeysPerSecond: 3n }),
  route(3n, ["t", ""], 1n, {}),
];

let onLook: () => void;
let flags: string[];
let stop: () => Promise<void>;

beforeEach(async () => {
  onLook = () => {};
  const fake = await startFakePd({
    getClusterInfo: () => ({
      ...{ bootstrapped: true, registeredStoreCount: 3, upStoreCount: 2 },
      ...{ regionCount: 3, regionWithLeaderCount: 3 },
    }),
    listStores: () => ({
      statuses: [
        { store: { id: 1n, address: "127.0.0.1:1", state: StoreState.UP }, leaderCount: 2, regionCount: 3 },
        { store: { id: 2n, address: "127.0.0.1:2", state: StoreState.DOWN }, leaderCount: 1, regionCount: 3 },
        { store: { id: 3n, address: "127.0.0.1:3", state: StoreState.TOMBSTONE } },
      ],
    }),
    listRegions: () => {
      onLook();
      return { routes };
    },
  });
  flags = ["--pd", fake.address];
  stop = fake.stop;
});
afterEach(() => stop());

describe("SPEC-U1: top", () => {
  test("looks once where there is no terminal: Stores with what their leaders do, the hottest Regions first", async () => {
    const { stdout, exitCode } = await runCaptured(["top", ...flags]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`2 of 3 Stores up, 3 Regions
13 writes/s of 400 B/s, 0 reads/s of 9 B/s

STORE  ADDRESS      STATE  LEADERS  REGIONS  WRITES/S  WRITTEN  READS/S   READ  USED  MEMORY
    1  127.0.0.1:1  up           2        3        10  100 B/s        0  9 B/s     ?       ?
    2  127.0.0.1:2  down         1        3         3  300 B/s        0  0 B/s     ?       ?

hottest by written bytes
REGION  LEADER   WRITES/S  WRITTEN  READS/S   READ     SIZE  KEYS FROM, TO
     2  Store 2         3  300 B/s        0  0 B/s  2.0 KiB  ["g", "t")
     1  Store 1        10  100 B/s        0  9 B/s  2.0 KiB  ["", "g")
`);
  });

  test("--json prints a document a look", async () => {
    const args = ["top", "--json", "--count", "2", "--every", "10ms", "--regions", "1", ...flags];
    const { stdout } = await runCaptured(args);
    const documents = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents).toHaveLength(2);
    expect(documents[1]).toMatchObject({
      total: { writtenBytesPerSecond: 400, writtenKeysPerSecond: 13, readBytesPerSecond: 9 },
      stores: [{ id: 1, load: { writtenKeysPerSecond: 10 } }, { id: 2 }],
      by: "written-bytes",
      regions: [{ id: 2 }],
    });
  });

  test("on a terminal sorts by what a key says, in colours, within its width, until q", async () => {
    const { stdout } = await runCaptured(["top", "--every", "1m", ...flags], {
      ...{ columns: 60, rows: 24, colors: true },
      onKey: (listener) => {
        onLook = () => listener("q");
        listener("r");
        return () => {};
      },
    });
    const frames = stdout.split("\u001b[H").slice(1);
    expect(frames).toHaveLength(2);
    expect(frames[1]).toContain("hottest by read bytes");
    expect(frames[1]).toContain("\u001b[31mdown\u001b[39m");
    const bare = stripVTControlCharacters(frames[0] ?? "").split("\r\n");
    expect(Math.max(...bare.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test("says what Regions can be sorted by", async () => {
    const { stderr, exitCode } = await runCaptured(["top", "--by", "heat", ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('by "heat" must be one of written-bytes, written-keys, read-bytes, read-keys');
  });
});
