import { configure } from "@flaredb/rdb-process";
import { expect, test } from "vitest";
import { type StoreConfig, parseStoreConfig } from "./config.ts";
import { storeSettings, usage } from "./flags.ts";

function configOf(line: string, environment: Readonly<Record<string, string>> = {}): StoreConfig {
  const program = { settings: storeSettings, usage, parse: parseStoreConfig };
  const configured = configure(program, { argv: line.split(" "), environment, columns: undefined });
  if (configured.kind === "end") {
    throw new Error(configured.stdout + configured.stderr);
  }
  return configured.config;
}

test("flags become fields of the configuration", () => {
  const line =
    "--data-dir d --pd a:1,b:2 --host h --port 1 --http-port 2 --advertise-address x:3 --outgoing-host o --label host=a --label zone=z=1 --region-split-size 32MiB --log-level warn --insecure";
  expect(configOf(line)).toMatchObject({
    dataDir: "d",
    pdAddresses: ["a:1", "b:2"],
    host: "h",
    port: 1,
    httpPort: 2,
    advertiseAddress: "x:3",
    outgoingHost: "o",
    labels: { host: "a", zone: "z=1" },
    regionSplitSizeBytes: 32 * 1024 * 1024,
    logLevel: "warn",
    insecure: true,
  });
});

test("variables become fields of the configuration, inner ones too", () => {
  const environment = {
    FLAREDB_SERVER_DATA_DIR: "e",
    FLAREDB_SERVER_PD_ADDRESSES: "a:1,b:2",
    FLAREDB_SERVER_LABELS: "host=a,zone=b",
    FLAREDB_SERVER_LEASE_READS: "false",
    FLAREDB_SERVER_RAFT_MAX_INFLIGHT_BYTES: "32MiB",
    FLAREDB_SERVER_PD_CALL_TIMEOUT_MS: "7s",
  };
  expect(configOf("--port 5", environment)).toMatchObject({
    dataDir: "e",
    port: 5,
    pdAddresses: ["a:1", "b:2"],
    labels: { host: "a", zone: "b" },
    leaseReads: false,
    raft: { maxInflightBytes: 32 * 1024 * 1024, maxInflightMessages: 256 },
    pd: { callTimeoutMs: 7_000, keepaliveIntervalMs: 2_000 },
  });
});

test.each([
  ["--data-dir d --label host=a,zone=b", {}],
  ["--data-dir d --label host=a --label zone=b", {}],
  ["--data-dir d", { FLAREDB_SERVER_LABELS: "host=a, zone=b" }],
])("labels are split and trimmed alike: %s %j", (line, environment) => {
  expect(configOf(line, environment).labels).toEqual({ host: "a", zone: "b" });
});

test("members of PD add up", () => {
  expect(configOf("--data-dir d --pd a:1 --pd b:2,c:3").pdAddresses).toEqual(["a:1", "b:2", "c:3"]);
});

test("every flag stands in the help", () => {
  expect(() => configOf("-h")).toThrow("Usage: rdb-server --data-dir DIR");
  expect(storeSettings.flags.filter(({ name }) => !usage.includes(`  --${name} `))).toEqual([]);
});

test.each<[string, string, string]>([
  ["an unknown flag", "--prot 1", "Unknown option '--prot'"],
  ["a word", "start", "Unexpected argument 'start'"],
  ["a port that is no number", "--port x", '--port "x" must be an integer'],
  ["a label without a value", "--label host", '--label "host" must be NAME=VALUE'],
  ["a label given twice", "--label a=1 --label a=2", '--label "a=1,a=2" gives a twice'],
  ["a size without its unit", "--region-split-size 5", '"5" must be a number with KiB, MiB or GiB, as 32MiB'],
  ["a file that is not there", "--config /nowhere/x.json", "config file /nowhere/x.json cannot be read"],
])("refuses %s", (_name, line, message) => {
  expect(() => configOf(line)).toThrow(message);
});

test("every number has a unit", () => {
  const bare = storeSettings.all.filter(({ kind, unit }) => /integer|number/.test(kind) && unit === "");
  expect(bare).toEqual([]);
});
