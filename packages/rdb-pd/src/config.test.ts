import { defaultListenLimits } from "@flaredb/rdb-wire";
import { RdbError, formatRange } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { parsePdConfig } from "./config.ts";
import { placementSchema } from "./placement/placement-config.ts";

function refusal(input: unknown): string {
  try {
    parsePdConfig(input);
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    expect((error as RdbError).code).toBe("RDB_CONFIG_INVALID");
    return (error as RdbError).message;
  }
  throw new Error("was not refused");
}

function group(...names: string[]): object[] {
  return names.map((name, at) => ({ name, address: `127.0.0.1:${7_400 + at}` }));
}

/** As the RPC port has them without a configuration. */
const defaultListen = {
  ...defaultListenLimits,
  ...{ httpConnectionMaxCount: 1_024, httpRequestTimeoutMs: 30_000 },
};

test("a data folder is enough", () => {
  expect(parsePdConfig({ dataDir: "data" })).toEqual({
    host: "127.0.0.1",
    port: 7400,
    httpPort: 7401,
    dataDir: "data",
    name: "pd-1",
    bootstrapStores: 3,
    replicas: 3,
    logLevel: "info",
    tls: {},
    insecure: false,
    listen: defaultListen,
    dataAccess: "read",
    placement: placementSchema.parse({}),
    raft: { tickMs: 100, heartbeatTicks: 2, electionTicks: 10 },
    initialRanges: [{ startKey: new Uint8Array(0), endKey: new Uint8Array(0) }],
  });
});

test.each([
  [{}, "dataDir is missing"],
  ["text", 'configuration "text" must be of type object'],
  [{ dataDir: "d", bootstrapStore: 3 }, "bootstrapStore is no known field"],
  [{ dataDir: "d", raft: { tick: 1 } }, "raft.tick is no known field"],
  [{ dataDir: "d", port: 65_536 }, "port 65536 must be <= 65535"],
  [{ dataDir: "d", port: "7400" }, 'port "7400" must be of type number'],
  [{ dataDir: "d", bootstrapStores: 0 }, "bootstrapStores 0 must be >= 1"],
  [{ dataDir: "d", replicas: 10 }, "replicas 10 must be <= 9"],
  [{ dataDir: "" }, 'dataDir "" must have a length >= 1'],
  [{ dataDir: "d", advertiseAddress: "nowhere" }, 'advertiseAddress "nowhere" must be HOST:PORT'],
  [{ dataDir: "d", logLevel: "loud" }, 'logLevel "loud" must be one of debug, info, warn, error, silent'],
  [{ dataDir: "d", raft: { electionTicks: 2 } }, "raft.electionTicks 2 must be > raft.heartbeatTicks"],
  [
    { dataDir: "d", initialSplitKeys: ["m"], initialRanges: [{ startKey: "", endKey: "" }] },
    "exclude each other",
  ],
  [{ dataDir: "d", name: "a=b" }, 'name "a=b" must have 1 to 63 characters, no space, = or comma'],
  [{ dataDir: "d", initialCluster: group("pd-1", "pd-2") }, "must have 1, 3 or 5 members"],
  [{ dataDir: "d", initialCluster: group("pd-1", "pd-2", "pd-2") }, "names a member or an address twice"],
  [{ dataDir: "d", initialCluster: group("pd-2", "pd-3", "pd-4") }, "does not have this member's name"],
  [
    { dataDir: "d", initialCluster: group("pd-1", "b", "c"), join: ["h:1"] },
    "and initialCluster exclude each other",
  ],
  [{ dataDir: "d", join: ["nowhere"] }, "must be HOST:PORT"],
  [{ dataDir: "d", join: ["h:65536"] }, 'join.0 "h:65536" must be HOST:PORT, with a port from 1 to 65535'],
  [{ dataDir: "d", initialCluster: [{ name: "pd-1", address: "h:0" }] }, "must be HOST:PORT"],
  [{ dataDir: "d", port: 7_777, httpPort: 7_777 }, "httpPort 7777 must differ from port"],
])("%j is refused: %s", (input, message) => {
  expect(refusal(input)).toContain(message);
});

test("every wrong field is named at once", () => {
  expect(refusal({ port: -1, replicas: 0 })).toBe(
    "port -1 must be >= 0; dataDir is missing: give --data-dir or FLAREDB_PD_DATA_DIR; replicas 0 must be >= 1",
  );
});

describe("listening", () => {
  test.each(["127.0.0.1", "127.8.9.1", "localhost", "::1"])("on %s needs no word", (host) => {
    expect(parsePdConfig({ dataDir: "d", host }).host).toBe(host);
  });

  test.each(["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org"])(
    "on %s needs insecure, or TLS",
    (host) => {
      expect(refusal({ dataDir: "d", host })).toContain(`host "${host}" is not a loopback address`);
      const advertiseAddress = "h:1";
      expect(parsePdConfig({ dataDir: "d", host, insecure: true, advertiseAddress }).host).toBe(host);
      const tls = { cert: "own.crt", key: "own.key" };
      expect(parsePdConfig({ dataDir: "d", host, tls, advertiseAddress }).tls).toEqual(tls);
    },
  );

  test.each(["0.0.0.0", "::"])("on %s needs an address at which it is reached", (host) => {
    const everywhere = { dataDir: "d", host, insecure: true };
    const wanted = "advertiseAddress (default) must be given where host is every address of the machine";
    expect(refusal(everywhere)).toContain(wanted);
    expect(refusal({ ...everywhere, join: ["h:1"] })).toContain(wanted);
    expect(parsePdConfig({ ...everywhere, initialCluster: group("pd-1") }).host).toBe(host);
  });
});

describe("SPEC-M5: initial Regions in the configuration", () => {
  const ranges = (input: object): string[] =>
    parsePdConfig({ dataDir: "d", ...input }).initialRanges.map(formatRange);

  test("split keys, with bytes that are no text", () => {
    expect(ranges({ initialSplitKeys: ["m", "m\\x00\\xff"] })).toEqual([
      '["", "m")',
      '["m", "m\\x00\\xff")',
      '["m\\x00\\xff", "")',
    ]);
  });

  test("explicit ranges", () => {
    const initialRanges = [
      { startKey: "", endKey: "ä" },
      { startKey: "ä", endKey: "" },
    ];
    expect(ranges({ initialRanges })).toEqual(['["", "\\xc3\\xa4")', '["\\xc3\\xa4", "")']);
  });

  test.each([
    [{ initialSplitKeys: ["t", "m"] }, 'region 2 ["t", "m") and region 3 ["m", "")'],
    [
      {
        initialRanges: [
          { startKey: "", endKey: "t" },
          { startKey: "m", endKey: "" },
        ],
      },
      'region 1 ["", "t") and region 2 ["m", "") overlap',
    ],
    [{ initialSplitKeys: ["a\\b"] }, 'key "a\\b" has a backslash that begins no \\xNN'],
    [{ initialRanges: [{ startKey: "", end: "" }] }, "initialRanges.0.end is no known field"],
  ])("%j is refused: %s", (input, message) => {
    expect(refusal({ dataDir: "d", ...input })).toContain(message);
  });
});
