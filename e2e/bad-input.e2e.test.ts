import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { SeededRandom, limits } from "@flaredb/rdb-base";
import { KvService } from "@flaredb/rdb-proto";
import { ProtoFuzzer, lyingBatch } from "@flaredb/rdb-proto/testing";
import { unaryTransport } from "@flaredb/rdb-wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestCluster, type TestStore } from "./cluster.ts";
import { frame, postRaw } from "./raw-grpc.ts";
import { rdb } from "./run-cli.ts";

let cluster: TestCluster;
let store: TestStore;
beforeAll(async () => {
  cluster = await TestCluster.start();
  store = cluster.stores[0] as TestStore;
});
// Whatever was thrown at them, all processes are as they were, and serve.
afterAll(async () => {
  try {
    expect(cluster.unexpectedEnds()).toEqual([]);
    const client = await cluster.connect();
    await client.put("still", "here");
    expect(await client.get("still")).toBeDefined();
    for await (const row of client.scan({})) {
      expect(Buffer.from(row.key).toString()).toBe("still");
    }
  } finally {
    await cluster.dispose();
  }
});

const longKey = "k".repeat(limits.keyMaxBytes + 1);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a Store refuses, whoever the client is", () => {
  const refusals: [string, (kv: ReturnType<typeof kvClient>) => Promise<unknown>, RegExp][] = [
    ["an empty key", (kv) => kv.put({ key: bytes(""), value: bytes("v") }), /key must not be empty/],
    ["a key over 4 KiB", (kv) => kv.get({ key: bytes(longKey) }), /key.*4097.*4096/],
    [
      "a value over 8 MiB",
      (kv) => kv.put({ key: bytes("k"), value: new Uint8Array(limits.valueMaxBytes + 1) }),
      /value.*8388609.*8388608/,
    ],
    [
      "a batch over its count",
      (kv) =>
        kv.batchDelete({
          keys: Array.from({ length: limits.batchMaxCount + 1 }, (_, at) => bytes(`k${at}`)),
        }),
      /10001.*10000/,
    ],
    [
      "a scan with start after end",
      (kv) => kv.scan({ startKey: bytes("b"), endKey: bytes("a") }),
      /start.*end/,
    ],
    ["a compare-and-swap with an empty key", (kv) => kv.compareAndSwap({ value: bytes("v") }), /key/],
  ];

  let connection: ReturnType<typeof unaryTransport>;
  beforeAll(() => {
    connection = unaryTransport(store.address);
  });
  afterAll(() => connection.close());
  const kvClient = () => createClient(KvService, connection.transport);

  test.each(refusals)("%s", async (_what, call, message) => {
    const error = ConnectError.from(await call(kvClient()).catch((error: unknown) => error));
    expect(Code[error.code]).toBe("InvalidArgument");
    expect(error.metadata.get("rdb-code")).toBe("RDB_INVALID_ARGUMENT");
    expect(error.rawMessage).toMatch(message);
  });
});

describe("bytes that are no request end that call alone", () => {
  const garbage = Buffer.from("this is no protobuf message at all, \xff\xfe", "latin1");
  const bodies: [string, Uint8Array][] = [
    ["a frame that holds no message", frame(garbage)],
    ["a frame that ends early", frame(garbage, 1_000_000)],
    ["a frame over the limit", frame(garbage, limits.messageMaxBytes + 1)],
    ["no frame at all", garbage],
  ];
  const paths = [
    "/rdb.v1.KvService/Put",
    "/rdb.v1.KvService/Batch",
    "/rdb.v1.RaftService/Batch",
    "/rdb.v1.KvService/NoSuchMethod",
  ];

  test.each(paths.flatMap((path) => bodies.map(([what, body]) => [path, what, body] as const)))(
    "a Store: %s with %s",
    async (path, _what, body) => {
      const { grpcStatus } = await postRaw(store.address, path, body);
      expect(grpcStatus).not.toBe(0);
    },
  );

  test.each(bodies)(
    "a Store is sent no snapshot by %s, and says so or ends the call",
    async (_what, body) => {
      const { httpStatus } = await postRaw(store.address, "/rdb.v1.RaftService/Snapshot", body);
      expect([200, 415, undefined]).toContain(httpStatus);
    },
  );

  test.each(bodies)("PD: %s", async (_what, body) => {
    const { grpcStatus } = await postRaw(cluster.pdAddress, "/rdb.v1.PdService/GetRegion", body);
    expect(grpcStatus).not.toBe(0);
  });

  test("something that is not HTTP/2 at all", async () => {
    for (const address of [store.address, cluster.pdAddress]) {
      const socket = net.connect(Number(address.split(":")[1]), "127.0.0.1");
      socket.on("error", () => {});
      socket.end("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
      await new Promise((resolve) => {
        socket.once("close", resolve);
        socket.resume();
      });
    }
  });
});

describe("a Store that does not belong here", () => {
  /** What two peers of the first Region would say to each other, but for who says it. */
  async function say(change: {
    clusterId?: bigint;
    fromStoreId?: bigint;
    toStoreId?: bigint;
  }): Promise<void> {
    const { clusterId } = await cluster.pdClient.getClusterInfo({});
    const [route] = await cluster.regions();
    const { statuses } = await cluster.pdClient.listStores({});
    const here = statuses.find((status) => status.store?.address === store.address)?.store?.id ?? 0n;
    const toPeer = route?.region?.peers.find(({ storeId }) => storeId === here);
    const fromPeer = route?.region?.peers.find(({ storeId }) => storeId !== here);
    if (route?.region === undefined || toPeer === undefined || fromPeer === undefined) {
      throw new Error("each Store has a peer of the first Region");
    }
    const ends = { clusterId, fromStoreId: fromPeer.storeId, toStoreId: here, ...change };
    const batch = lyingBatch(new ProtoFuzzer(new SeededRandom(1)), {
      ...{ ...ends, regionId: route.region.id, fromPeer, toPeer },
    });
    const answer = await postRaw(store.address, "/rdb.v1.RaftService/Batch", frame(batch));
    expect(answer).toEqual({ httpStatus: 200, grpcStatus: 0 });
  }

  test.each([
    ["of another cluster", { clusterId: 12_345n }, '"reason":"ClusterMismatch"', "cluster 12345"],
    [
      "that means another Store than the one at this address",
      { toStoreId: 777n },
      '"reason":"StoreNotMatch"',
      "Store ",
    ],
    [
      "in the name of another Store than its peer's",
      { fromStoreId: 778n },
      '"reason":"StoreNotMatch"',
      "Store 778",
    ],
  ])("%s is refused, and logged once", async (_what, change, reason, from) => {
    for (let left = 3; left > 0; left--) {
      await say(change);
    }
    const lines = store
      .log()
      .split("\n")
      .filter((line) => line.includes("message refused") && line.includes(from));
    expect(lines.filter((line) => line.includes(reason))).toHaveLength(1);
  });
});

describe("the command line says what is wrong", () => {
  const pd = (): string[] => ["--pd", cluster.pdAddress];
  const cases: [string[], string][] = [
    [["put", "", "v"], "key is empty: it must have 1 to 4096 bytes"],
    [["put", longKey, "v"], "key of 4097 bytes is too long: the limit is 4096 bytes"],
    [["scan", "--start", "b", "--end", "a"], 'start "b" is after end "a"'],
    [["scan", "--limit", "-1"], "limit -1 must be a whole number from 1"],
    [["nonsense"], "unknown command 'nonsense'"],
    [["scan", "--nonsense"], "unknown option '--nonsense'"],
  ];

  test.each(cases)("$1", async (args, message) => {
    const { exitCode, stdout, stderr } = await rdb([...args, ...pd()]);
    expect(stderr).toContain(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  test("a value over 8 MiB on stdin", async () => {
    const { exitCode, stderr } = await rdb(
      ["put", "k", "-", ...pd()],
      Buffer.alloc(limits.valueMaxBytes + 1),
    );
    expect(stderr).toContain("value of 8388609 bytes is too large: the limit is 8388608 bytes");
    expect(exitCode).toBe(2);
  });

  test("a value of exactly 8 MiB is taken, and comes back", async () => {
    const value = Buffer.alloc(limits.valueMaxBytes, "v");
    expect((await rdb(["put", "large", "-", ...pd()], value)).exitCode).toBe(0);
    const { exitCode, stdout } = await rdb(["get", "large", ...pd()]);
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`${value.toString()}\n`);
    expect((await rdb(["delete", "large", ...pd()])).exitCode).toBe(0);
  });

  test("a key that is not there: on stderr, exit code 1", async () => {
    for (const command of ["get", "delete"]) {
      const { exitCode, stdout, stderr } = await rdb([command, "nothing", ...pd()]);
      expect({ exitCode, stdout, stderr }).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: 'error: there is no key "nothing"\n',
      });
    }
  });

  test("a placement driver that does not answer: within 6 s, with its address and what to do", async () => {
    const silent = net.createServer(() => {});
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    for (const args of [
      ["get", "k"],
      ["store", "list"],
    ]) {
      const startedMs = performance.now();
      const { exitCode, stderr } = await rdb([...args, "--pd", address]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(address);
      expect(stderr).toContain("npm start");
      expect(performance.now() - startedMs).toBeLessThan(6_500);
    }
    silent.close();
  });
});

describe("a config file is checked before anything is touched", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "flaredb-config-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const cases: [string, string, RegExp][] = [
    ["server", '{"electionTick": 20}', /electionTick\b/],
    ["server", '{"tickMs": 0}', /tickMs.*0.*1/],
    ["server", '{"electionTicks": 2, "heartbeatTicks": 2}', /electionTicks.*heartbeatTicks/],
    ["server", "not json", /config/],
    ["pd", '{"bootstrapStoreCount": 3}', /bootstrapStoreCount/],
    ["pd", '{"replicas": -1}', /replicas.*-1.*1/],
    ["pd", '{"initialRanges": [{"startKey": "", "endKey": "m"}, {"startKey": "n", "endKey": ""}]}', /m.*n/],
  ];

  test.each(cases)("rdb %s with %s", async (kind, text, message) => {
    const config = join(folder, "config.json");
    writeFileSync(config, text);
    const data = join(folder, "data");
    const { exitCode, stderr } = await rdb([
      kind,
      "--config",
      config,
      "--data-dir",
      data,
      "--port",
      "0",
      "--http-port",
      "0",
    ]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(exitCode).toBe(2);
    const listing = spawn("ls", [data]);
    expect(await new Promise((resolve) => listing.once("exit", resolve))).not.toBe(0);
  });
});
