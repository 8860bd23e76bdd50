import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFlags, usage } from "./flags.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rdb-flags-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, "config.json");
  writeFileSync(path, content);
  return path;
}

test("flags become fields of the configuration", () => {
  const argv =
    "--data-dir d --pd a:1,b:2 --host h --port 1 --http-port 2 --advertise-address x:3 --outgoing-host o --label host=a --label zone=z=1 --region-split-size 32MiB --log-level warn --insecure";
  expect(readFlags(argv.split(" "))).toEqual({
    kind: "start",
    input: {
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
    },
  });
});

test("flags go before the config file", () => {
  const path = file('{"port": 5, "tickMs": 20}');
  expect(readFlags(["--config", path, "--port", "6"])).toEqual({
    kind: "start",
    input: { port: 6, tickMs: 20 },
  });
});

test("help is asked for", () => {
  expect(readFlags(["-h"])).toEqual({ kind: "help" });
  expect(usage).toContain("--data-dir");
});

test.each<[string, string[], string]>([
  ["an unknown flag", ["--prot", "1"], "Unknown option '--prot'"],
  ["a word", ["start"], "Unexpected argument 'start'"],
  ["a port that is no number", ["--port", "x"], '--port "x" must be an integer'],
  ["a label without a value", ["--label", "host"], '--label "host" must be NAME=VALUE'],
  ["a label given twice", ["--label", "a=1", "--label", "a=2"], "--label a is given twice"],
  ["a file that is not there", ["--config", "/nowhere/x.json"], "config file /nowhere/x.json cannot be read"],
])("refuses %s", (_name, argv, message) => {
  expect(() => readFlags(argv)).toThrow(message);
});

test("refuses a config file that is no JSON object", () => {
  expect(() => readFlags(["--config", file("[]")])).toThrow("must hold one JSON object");
  expect(() => readFlags(["--config", file("{")])).toThrow("cannot be read");
});
