import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { RdbError, SeededRandom, regionId, silentLogger, storeId, systemClock } from "@flaredb/rdb-base";
import { KvResponseSchema, KvService } from "@flaredb/rdb-proto";
import { type UnaryTransport, fromConnectError, httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseStoreConfig } from "../config.ts";
import { diskFull, errorResponse, serverIsBusy } from "../peer/responses.ts";
import type { SnapshotReceiver } from "../snapshot/receiver.ts";
import type { RegionStatus } from "../store/store-handle.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { voterOn } from "../testing/peer-messages.ts";
import { StoreServer } from "./store-server.ts";

const root = new URL("../../../../", import.meta.url).pathname;
const text = new TextEncoder();

let handle: FakeStoreHandle;
let server: StoreServer;
let wire: UnaryTransport;
let address: string;

beforeEach(async () => {
  handle = new FakeStoreHandle();
  server = new StoreServer({
    host: "127.0.0.1",
    port: 0,
    wire: httpWire(),
    clock: systemClock,
    random: new SeededRandom(1),
    logger: silentLogger,
    config: parseStoreConfig({ dataDir: "unused" }),
  });
  await server.listen();
  address = `127.0.0.1:${server.port}`;
  wire = unaryTransport(address);
});

afterEach(async () => {
  wire.close();
  await server.close(0);
});

/** This Store leads one Region over everything up to "m". */
function serve(): void {
  const region = {
    id: regionId(4),
    startKey: new Uint8Array(),
    endKey: text.encode("m"),
    epoch: { confVer: 1, version: 1 },
    peers: [voterOn(1)],
  };
  handle.statuses = [
    { region, peerId: voterOn(1).id, leaderPeerId: voterOn(1).id } as unknown as RegionStatus,
  ];
  server.serve({
    ident: { kind: "Store", clusterId: 1, storeId: storeId(1) },
    handle,
    liveness: { heard: () => {} },
    receiver: {} as SnapshotReceiver,
    addressOf: () => undefined,
    refused: () => {},
    lookUp: () => Promise.reject(new RdbError("RDB_PD_UNAVAILABLE", "PD is away")),
  });
}

const client = () => createClient(KvService, wire.transport);

/** A foreign gRPC client, which knows only the proto files. */
async function bufCurl(method: string, json: string): Promise<{ ok: boolean; output: string }> {
  const args = ["curl", "--schema", "proto", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json];
  try {
    const { stdout } = await promisify(execFile)(
      "node_modules/.bin/buf",
      [...args, `http://${address}/rdb.v1.KvService/${method}`],
      { cwd: root },
    );
    return { ok: true, output: stdout };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { ok: false, output: stdout + stderr };
  }
}

test("unary methods are answered by the Region's leader here", async () => {
  serve();
  handle.onHandle = (_header, request, respond) =>
    respond(
      create(KvResponseSchema, {
        requestId: request.requestId,
        result: { case: "compareAndSwap", value: { succeeded: true, version: 9n } },
      }),
    );
  const answer = await client().compareAndSwap({ key: text.encode("a"), value: text.encode("b") });
  expect(answer).toMatchObject({ succeeded: true, version: 9n });
});

test("a foreign client puts and gets without knowing a map", async () => {
  serve();
  const rows = new Map<string, Uint8Array>();
  handle.onHandle = (_header, { requestId, command }, respond) => {
    if (command.case === "put") {
      rows.set(String(command.value.key), command.value.value);
      respond(create(KvResponseSchema, { requestId, result: { case: "put", value: { version: 1n } } }));
    } else if (command.case === "get") {
      const value = rows.get(String(command.value.key)) ?? new Uint8Array();
      respond(
        create(KvResponseSchema, { requestId, result: { case: "get", value: { found: true, value } } }),
      );
    }
  };
  const base64 = (plain: string) => Buffer.from(plain).toString("base64");
  const put = await bufCurl("Put", `{"key":"${base64("apple")}","value":"${base64("red")}"}`);
  expect(put).toEqual({ ok: true, output: expect.stringContaining('"version": "1"') });
  const get = await bufCurl("Get", `{"key":"${base64("apple")}"}`);
  expect(get.output).toContain(base64("red"));
  const bad = await bufCurl("Get", "{}");
  expect(bad).toEqual({ ok: false, output: expect.stringContaining("key must not be empty") });
}, 30_000);

test("what is wrong with a request is said with its stable code, and never reaches the loop", async () => {
  serve();
  const error = await client()
    .put({ key: new Uint8Array(5_000) })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: Code.InvalidArgument });
  expect(fromConnectError(error)).toMatchObject({
    code: "RDB_INVALID_ARGUMENT",
    message: "key length 5000 must be <= keyMaxBytes 4096",
  });
  const across = await client()
    .batchGet({ keys: [text.encode("a"), text.encode("z")] })
    .catch((thrown: unknown) => thrown);
  expect(across).toMatchObject({ code: Code.InvalidArgument });
  expect((across as Error).message).toContain('keys "a" and "z" lie in different Regions');
  expect(handle.of("handle")).toEqual([]);
});

test.each([
  ["busy", () => serverIsBusy("queue", 10), Code.ResourceExhausted, "RDB_SERVER_IS_BUSY"],
  ["full", diskFull, Code.ResourceExhausted, "RDB_DISK_FULL"],
] as const)("a Store that is %s says so with its code", async (_name, refusal, code, rdbCode) => {
  serve();
  handle.onHandle = (_header, request, respond) => respond(errorResponse(request.requestId, refusal()));
  const error = await client()
    .put({ key: text.encode("a") })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(fromConnectError(error).code).toBe(rdbCode);
});

test("a call's own deadline holds; a write that was taken is then of unknown outcome", async () => {
  serve();
  const error = await client()
    .put({ key: text.encode("a") }, { timeoutMs: 100 })
    .catch((thrown: unknown) => thrown);
  // Client and server count down alike: whichever is first.
  expect([Code.DeadlineExceeded, Code.Unknown]).toContain((error as { code: Code }).code);
  expect(handle.of("handle")[0]?.requests[0]?.timeoutMs).toBeLessThanOrEqual(100);
});

test("before the Store is there, it says that it is starting", async () => {
  const error = await client()
    .get({ key: text.encode("a") })
    .catch((thrown: unknown) => thrown);
  expect(fromConnectError(error)).toMatchObject({
    code: "RDB_UNAVAILABLE",
    message: "the Store is starting",
  });
});
