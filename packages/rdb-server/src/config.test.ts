import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { parseStoreConfig } from "./config.ts";

const minimal = { dataDir: "/data" };

function messageOf(input: unknown): string {
  try {
    parseStoreConfig(input);
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    expect((error as RdbError).code).toBe("RDB_CONFIG_INVALID");
    return (error as RdbError).message;
  }
  throw new Error("the configuration was accepted");
}

test("the defaults are those of the design", () => {
  expect(parseStoreConfig(minimal)).toMatchObject({
    host: "127.0.0.1",
    port: 7410,
    httpPort: 7420,
    pdAddresses: ["127.0.0.1:7400"],
    tickMs: 50,
    heartbeatTicks: 2,
    electionTicks: 20,
    leaseMs: 800,
    leaseReads: true,
    storeSilentMs: 2_000,
    raft: { maxInflightMessages: 256, maxSizePerMessageBytes: 1_048_576 },
    logGc: { maxEntries: 50_000 },
    snapshot: { sendMaxCount: 4 },
  });
});

test("what is given replaces a default and leaves its neighbours", () => {
  const config = parseStoreConfig({ ...minimal, port: 0, raft: { maxInflightMessages: 7 } });
  expect(config.port).toBe(0);
  expect(config.raft.maxInflightMessages).toBe(7);
  expect(config.raft.entryMaxBytes).toBe(1_048_576);
});

test("the result cannot be changed", () => {
  const config = parseStoreConfig(minimal) as { port: number; raft: { maxInflightMessages: number } };
  expect(() => (config.port = 1)).toThrow(TypeError);
  expect(() => (config.raft.maxInflightMessages = 1)).toThrow(TypeError);
});

test.each<[string, unknown, string]>([
  ["no data folder", {}, "dataDir is missing: give --data-dir or FLAREDB_SERVER_DATA_DIR"],
  ["not an object", 3, "configuration 3 must be of type object"],
  ["an unknown field", { ...minimal, prot: 1 }, "prot is no known field: did you mean port?"],
  [
    "an unknown inner field",
    { ...minimal, raft: { a: 1, b: 2 } },
    "raft.a is no known field; raft.b is no known field",
  ],
  ["a port too high", { ...minimal, port: 65_536 }, "port 65536 must be <= 65535"],
  ["a port below 0", { ...minimal, httpPort: -1 }, "httpPort -1 must be >= 0"],
  ["a fraction", { ...minimal, tickMs: 1.5 }, "tickMs 1.5 must be an integer"],
  ["a text for a number", { ...minimal, port: "7410" }, 'port "7410" must be of type number'],
  ["an empty text", { dataDir: "" }, 'dataDir "" must have a length >= 1'],
  [
    "an address without a port",
    { ...minimal, pdAddresses: ["pd1"] },
    'pdAddresses.0 "pd1" must be HOST:PORT, with a port from 1 to 65535',
  ],
  [
    "an address with a port too high",
    { ...minimal, pdAddresses: ["127.0.7.1:99999"] },
    'pdAddresses.0 "127.0.7.1:99999" must be HOST:PORT, with a port from 1 to 65535',
  ],
  [
    "an address with no port of its own",
    { ...minimal, advertiseAddress: "127.0.7.18:0" },
    'advertiseAddress "127.0.7.18:0" must be HOST:PORT, with a port from 1 to 65535',
  ],
  ["one port for both", { ...minimal, port: 7_777, httpPort: 7_777 }, "httpPort 7777 must differ from port"],
  ["no address", { ...minimal, pdAddresses: [] }, "pdAddresses [] must have a length >= 1"],
  [
    "a level",
    { ...minimal, logLevel: "loud" },
    'logLevel "loud" must be one of debug, info, warn, error, silent',
  ],
  [
    "an election too early",
    { ...minimal, electionTicks: 2, leaseMs: 1 },
    "electionTicks 2 must be > heartbeatTicks",
  ],
  [
    "a lease too long",
    { ...minimal, leaseMs: 864 },
    "leaseMs 864 times 1.1 must be < (electionTicks - 1) * tickMs",
  ],
  [
    "a lease too long by the ticks",
    { ...minimal, tickMs: 40 },
    "leaseMs (default) times 1.1 must be < (electionTicks - 1) * tickMs",
  ],
  ["silence too soon", { ...minimal, storeSilentMs: 500 }, "storeSilentMs 500 must be > livenessIntervalMs"],
  [
    "a label with two labels in it",
    { ...minimal, labels: { host: "a,zone=b" } },
    'labels.host "a,zone=b" must have a character, no comma and no space at its ends',
  ],
  ["an inner limit", { ...minimal, snapshot: { sendMaxCount: 0 } }, "snapshot.sendMaxCount 0 must be >= 1"],
  [
    "a window under one message",
    { ...minimal, raft: { maxInflightBytes: 5 } },
    "raft.maxInflightBytes 5 must be >= raft.maxSizePerMessageBytes",
  ],
])("refuses %s", (_name, input, message) => {
  expect(messageOf(input)).toBe(message);
});

test("the longest lease that the rule allows is taken", () => {
  expect(parseStoreConfig({ ...minimal, leaseMs: 863 }).leaseMs).toBe(863);
});

test.each(["localhost", "127.0.0.1", "127.1.2.3", "::1"])("%s is loopback", (host) => {
  expect(parseStoreConfig({ ...minimal, host }).host).toBe(host);
});

test("beyond loopback with insecure", () => {
  expect(parseStoreConfig({ ...minimal, host: "10.0.0.1", insecure: true }).insecure).toBe(true);
});

test("beyond loopback with TLS", () => {
  const tls = { cert: "own.crt", key: "own.key" };
  expect(parseStoreConfig({ ...minimal, host: "10.0.0.1", tls }).tls).toEqual(tls);
  expect(messageOf({ ...minimal, host: "10.0.0.1" })).toBe(
    'host "10.0.0.1" is reachable from elsewhere and nothing is encrypted: give --tls-cert, --tls-key and --tls-ca (`rdb cert create` makes them), or --insecure to allow it',
  );
});

test.each([
  [{ cert: "own.crt" }, "tls.key (default) and tls.cert must be given together"],
  [{ key: "own.key" }, 'tls.key "own.key" and tls.cert must be given together'],
  [
    { ca: "ca.crt" },
    'tls.ca "ca.crt" needs a certificate of its own beside it: give --tls-cert and --tls-key too',
  ],
])("TLS with %j is refused", (tls, message) => {
  expect(messageOf({ ...minimal, tls })).toBe(message);
});

test.each(["0.0.0.0", "::"])("who listens on %s has to say where it is reached", (host) => {
  const everywhere = { ...minimal, host, insecure: true };
  expect(messageOf(everywhere)).toContain(
    "advertiseAddress (default) must be given where host is every address of the machine: say --advertise-address",
  );
  expect(parseStoreConfig({ ...everywhere, advertiseAddress: "[::1]:7410" }).host).toBe(host);
});

test("both ports may be free ones, which differ", () => {
  expect(parseStoreConfig({ ...minimal, port: 0, httpPort: 0 }).httpPort).toBe(0);
});

test.each(["localhost:4318", "grpc://localhost:4317", "http://"])(
  "spans cannot be sent to %s",
  (endpoint) => {
    expect(messageOf({ ...minimal, tracing: { endpoint } })).toBe(
      `tracing.endpoint "${endpoint}" must be a URL that begins with http:// or https://`,
    );
  },
);
