import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFlags, usage } from "./flags.ts";

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

test("flags become the fields of the configuration", () => {
  const argv =
    "--data-dir d --host ::1 --port 1 --http-port 2 --bootstrap-stores 5 --initial-regions m,t --replicas 1 --max-store-down-time 10s --name n --advertise-address h:1 --initial-cluster n=h:1,o=h:2 --join h:3,h:4 --log-level debug --insecure";
  expect(readFlags(argv.split(" "))).toEqual({
    kind: "start",
    input: {
      dataDir: "d",
      host: "::1",
      port: 1,
      httpPort: 2,
      bootstrapStores: 5,
      initialSplitKeys: ["m", "t"],
      replicas: 1,
      placement: { maxStoreDownTimeMs: 10_000 },
      name: "n",
      advertiseAddress: "h:1",
      initialCluster: [
        { name: "n", address: "h:1" },
        { name: "o", address: "h:2" },
      ],
      join: ["h:3", "h:4"],
      logLevel: "debug",
      insecure: true,
    },
  });
});

test("every flag stands in the help", () => {
  expect(readFlags(["--help"])).toEqual({ kind: "help" });
  expect(usage).toContain("--advertise-address");
});

test("no split keys are one Region", () => {
  expect(readFlags(["--initial-regions", ""])).toMatchObject({ input: { initialSplitKeys: [] } });
});

describe("a config file", () => {
  test("is overruled by flags, field by field", () => {
    const path = configFile("a.json", JSON.stringify({ dataDir: "d", port: 1, replicas: 2 }));
    expect(readFlags(["--config", path, "--port", "9"])).toEqual({
      kind: "start",
      input: { dataDir: "d", port: 9, replicas: 2 },
    });
  });

  test("loses its initial Regions to the flag", () => {
    const path = configFile("b.json", JSON.stringify({ initialRanges: [{ startKey: "", endKey: "" }] }));
    expect(readFlags(["--config", path, "--initial-regions", "m"])).toEqual({
      kind: "start",
      input: { initialSplitKeys: ["m"] },
    });
  });

  test.each([
    ["none.json", undefined, "cannot be read"],
    ["text.json", "{", "cannot be read"],
    ["list.json", "[]", "must hold one JSON object"],
  ])("%s is refused", (name, text, message) => {
    const path = text === undefined ? join(folder, name) : configFile(name, text);
    expect(() => readFlags(["--config", path])).toThrow(message);
  });
});

test.each([
  [["--bogus"], "--bogus"],
  [["extra"], "extra"],
  [["--port", "x"], '--port "x" must be an integer'],
  [["--max-store-down-time", "10"], '--max-store-down-time "10" must be a number with ms, s, m or h'],
  [["--replicas", "1.5"], '--replicas "1.5" must be an integer'],
])("%j is refused", (argv, message) => {
  expect(() => readFlags(argv)).toThrow(message);
});
