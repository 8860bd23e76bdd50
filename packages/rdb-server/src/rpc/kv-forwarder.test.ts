import { create } from "@bufbuild/protobuf";
import { type Clock, silentLogger, systemClock } from "@flaredb/rdb-base";
import {
  type KvRequest,
  KvRequestSchema,
  KvResponseSchema,
  type RegionHeader,
  RegionHeaderSchema,
} from "@flaredb/rdb-proto";
import { RpcServer, httpWire } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { KvForwarder } from "./kv-forwarder.ts";
import { serveKvBatch } from "./kv-stream.ts";

/** As the system's, but what is due at once comes before any IO. */
const clock: Clock = {
  ...systemClock,
  setTimer(delayMs, callback) {
    if (delayMs > 0) {
      return systemClock.setTimer(delayMs, callback);
    }
    queueMicrotask(callback);
    return { cancel: () => {} };
  },
};

let handle: FakeStoreHandle;
let server: RpcServer;
let forwarder: KvForwarder;

beforeEach(async () => {
  handle = new FakeStoreHandle();
  server = new RpcServer({ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock });
  serveKvBatch(server, () => ({ handle, logger: silentLogger, streamMaxPendingCount: 100 }));
  await server.listen();
  forwarder = new KvForwarder({ wire: httpWire(), clock, localAddress: "127.0.0.1" });
});

afterEach(async () => {
  forwarder.close();
  await server.close(0);
});

const header: RegionHeader = create(RegionHeaderSchema, {
  regionId: 7n,
  storeId: 1n,
  epoch: { version: 1n },
});
const put: KvRequest = create(KvRequestSchema, {
  requestId: 1,
  command: { case: "put", value: { key: new Uint8Array([1]) } },
});

test("requests go over one stream, and each gets its own answer", async () => {
  handle.onHandle = (_header, request, respond) =>
    respond(
      create(KvResponseSchema, {
        requestId: request.requestId,
        result: { case: "put", value: { version: BigInt(request.requestId) } },
      }),
    );
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, () => forwarder.send(server.address, header, put, 1_000)),
  );
  const versions = outcomes.map((outcome) =>
    outcome.kind === "answered" && outcome.response.result.case === "put"
      ? outcome.response.result.value.version
      : 0n,
  );
  expect(new Set(versions).size).toBe(50);
  expect(handle.of("handle")[0]?.header).toMatchObject({ regionId: 7n });
});

test("nobody at the address: not sent", async () => {
  const { address } = server;
  await server.close(0);
  expect(await forwarder.send(address, header, put, 1_000)).toMatchObject({ kind: "unsent" });
});

test("a Store that takes the request and goes away: nobody knows", async () => {
  const outcome = forwarder.send(server.address, header, put, 5_000);
  await handle.first("handle");
  await server.close(0);
  expect(await outcome).toMatchObject({ kind: "unanswered", error: { code: "RDB_UNAVAILABLE" } });
});

test("a Store that takes the request and does not answer in time: nobody knows", async () => {
  const outcome = await forwarder.send(server.address, header, put, 80);
  expect(outcome).toMatchObject({ kind: "unanswered", error: { code: "RDB_DEADLINE_EXCEEDED" } });
});

test("time that runs out before the socket takes it: not sent, and never will be", async () => {
  const outcome = forwarder.send(server.address, header, put, 0);
  expect(await outcome).toMatchObject({ kind: "unsent", error: { code: "RDB_DEADLINE_EXCEEDED" } });
  const next = forwarder.send(server.address, header, put, 50);
  await handle.first("handle");
  await next;
  expect(handle.of("handle").flatMap((event) => event.requests).length).toBe(1);
});

test("after a lost connection the next request makes a new one", async () => {
  const { address, port } = server;
  const first = forwarder.send(address, header, put, 5_000);
  await handle.first("handle");
  await server.close(0);
  await first;
  server = new RpcServer({ host: "127.0.0.1", port, logger: silentLogger, clock: systemClock });
  serveKvBatch(server, () => ({ handle, logger: silentLogger, streamMaxPendingCount: 100 }));
  await server.listen();
  handle.onHandle = (_header, request, respond) =>
    respond(create(KvResponseSchema, { requestId: request.requestId }));
  expect(await forwarder.send(address, header, put, 1_000)).toMatchObject({ kind: "answered" });
});
