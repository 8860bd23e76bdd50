import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatKey } from "@flaredb/rdb-base";
import { configure } from "@flaredb/rdb-process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PdConfig, parsePdConfig } from "./config.ts";
import { pdSettings, usage } from "./flags.ts";

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-pd-flags-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function configOf(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): PdConfig {
  const program = { settings: pdSettings, usage, parse: parsePdConfig };
  const configured = configure(program, { argv, environment, columns: undefined });
  if (configured.kind === "end") {
    throw new Error(configured.stdout + configured.stderr);
  }
  return configured.config;
}

function initialStarts(argv: readonly string[]): string[] {
  return configOf(["--data-dir", "d", ...argv]).initialRanges.map(({ startKey }) => formatKey(startKey));
}

test("flags become the fields of the configuration", () => {
  const line =
    "--data-dir d --host ::1 --port 1 --http-port 2 --bootstrap-stores 5 --initial-regions m,t --replicas 1 --max-store-down-time 10s --name n --advertise-address h:1 --join h:3,h:4 --log-level debug --insecure";
  expect(configOf(line.split(" "))).toMatchObject({
    dataDir: "d",
    host: "::1",
    port: 1,
    httpPort: 2,
    bootstrapStores: 5,
    replicas: 1,
    placement: { maxStoreDownTimeMs: 10_000, replicas: 1 },
    name: "n",
    advertiseAddress: "h:1",
    join: ["h:3", "h:4"],
    logLevel: "debug",
    insecure: true,
  });
  expect(initialStarts(["--initial-regions", "m,t"])).toEqual(["", "m", "t"]);
});

test("variables become the fields of the configuration", () => {
  const environment = {
    FLAREDB_PD_DATA_DIR: "d",
    FLAREDB_PD_NAME: "a",
    FLAREDB_PD_INITIAL_CLUSTER: "a=h:1,b=h:2,c=h:3",
    FLAREDB_PD_PLACEMENT_MERGE_ENABLED: "true",
    FLAREDB_PD_PLACEMENT_TOLERANCE: "0.25",
    FLAREDB_PD_PLACEMENT_LOCATION_LABELS: "zone,rack",
  };
  expect(configOf([], environment)).toMatchObject({
    initialCluster: [
      { name: "a", address: "h:1" },
      { name: "b", address: "h:2" },
      { name: "c", address: "h:3" },
    ],
    placement: { mergeEnabled: true, tolerance: 0.25, locationLabels: ["zone", "rack"] },
  });
});

test("lists are trimmed, and those given again add up", () => {
  const environment = { FLAREDB_PD_PLACEMENT_LOCATION_LABELS: "zone, host" };
  expect(configOf(["--data-dir", "d"], environment).placement.locationLabels).toEqual(["zone", "host"]);
  const members = ["--initial-cluster", "pd-1=h:1", "--initial-cluster", "b=h:2, c=h:3"];
  expect(configOf(["--data-dir", "d", ...members]).initialCluster).toHaveLength(3);
});

test("the first members are printed as the environment takes them", () => {
  const members = "pd-1=h:1,b=h:2,c=h:3";
  expect(() => configOf(["--print-config", "--data-dir", "d", "--initial-cluster", members])).toThrow(
    members,
  );
  const wrong = configFile("wrong.json", '{"initialCluster":[{"name":"pd-1"}]}');
  expect(() => configOf(["--print-config", "--config", wrong])).toThrow('[{"name":"pd-1"}]');
});

test("every flag stands in the help", () => {
  expect(() => configOf(["--help"])).toThrow("Usage: rdb-pd --data-dir DIR");
  expect(pdSettings.flags.filter(({ name }) => !usage.includes(`  --${name} `))).toEqual([]);
});

test("every number has a unit", () => {
  const bare = pdSettings.all.filter(({ kind, unit }) => /integer|number/.test(kind) && unit === "");
  expect(bare).toEqual([]);
});

test("no split keys are one Region", () => {
  expect(initialStarts(["--initial-regions", ""])).toEqual([""]);
});

describe("a config file", () => {
  test("is overruled by flags, field by field", () => {
    const path = configFile("a.json", JSON.stringify({ dataDir: "d", port: 1, replicas: 2 }));
    expect(configOf(["--config", path, "--port", "9"])).toMatchObject({ dataDir: "d", port: 9, replicas: 2 });
  });

  test("keeps what stands beside an inner field that a flag sets", () => {
    const path = configFile("c.json", JSON.stringify({ dataDir: "d", placement: { regionLimit: 7 } }));
    expect(configOf(["--config", path, "--max-store-down-time", "10s"]).placement).toMatchObject({
      regionLimit: 7,
      maxStoreDownTimeMs: 10_000,
    });
  });

  test("loses its initial Regions to the flag", () => {
    const path = configFile("b.json", JSON.stringify({ initialRanges: [{ startKey: "", endKey: "" }] }));
    expect(initialStarts(["--config", path, "--initial-regions", "m"])).toEqual(["", "m"]);
  });

  test("that cannot be read has nothing missing in it", () => {
    const path = join(folder, "none.json");
    expect(() => configOf(["--config", path])).toThrow(/cannot be read: [^;]*$/);
  });

  test.each([
    ["none.json", undefined, "cannot be read"],
    ["text.json", "{", "cannot be read"],
    ["list.json", "[]", "must hold one JSON object"],
  ])("%s is refused", (name, text, message) => {
    const path = text === undefined ? join(folder, name) : configFile(name, text);
    expect(() => configOf(["--config", path])).toThrow(message);
  });
});

test.each([
  [["--bogus"], "--bogus"],
  [["extra"], "extra"],
  [["--port", "x"], '--port "x" must be an integer'],
  [["--max-store-down-time", "10"], '--max-store-down-time "10" must be a number with ms, s, m or h'],
  [["--replicas", "1.5"], '--replicas "1.5" must be an integer'],
])("%j is refused", (argv, message) => {
  expect(() => configOf(argv)).toThrow(message);
});
