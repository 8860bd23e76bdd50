import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type RdbError, limits, silentLogger, systemClock } from "@flaredb/rdb-base";
import {
  type BatchRequest,
  BatchRequestSchema,
  type BatchResponse,
  BatchResponseSchema,
  type KvRequest,
  KvRequestSchema,
  type KvResponse,
  KvResponseSchema,
} from "@flaredb/rdb-proto";
import { type ClientStream, RpcConnection, RpcServer, type StreamCodec } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EventLog } from "../testing/event-log.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { KV_BATCH_PATH, serveKvBatch } from "./kv-stream.ts";

const STREAM_MAX_PENDING_COUNT = 4;

let handle: FakeStoreHandle;
let server: RpcServer;
let isStarting: boolean;
const connections: RpcConnection[] = [];

beforeEach(async () => {
  handle = new FakeStoreHandle();
  server = new RpcServer({ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock });
  isStarting = false;
  serveKvBatch(server, () =>
    isStarting
      ? undefined
      : { handle, logger: silentLogger, streamMaxPendingCount: STREAM_MAX_PENDING_COUNT },
  );
  await server.listen();
});

afterEach(async () => {
  for (const connection of connections.splice(0)) {
    connection.close();
  }
  await server.close(0);
});

/** A client that sends what it is given, as it is. */
const rawCodec: StreamCodec<Uint8Array, BatchResponse> = {
  encode: ([bytes]) => bytes,
  sizeOf: (bytes) => bytes.length,
  decode: (bytes) => fromBinary(BatchResponseSchema, bytes),
  limits: { frameMaxCount: 1 },
};

class Client {
  readonly answers = new EventLog<KvResponse>();
  readonly closed: Promise<RdbError | undefined>;
  readonly stream: ClientStream<Uint8Array, BatchResponse>;

  constructor() {
    const connection = new RpcConnection({ address: server.address, clock: systemClock });
    connections.push(connection);
    const { promise, resolve } = Promise.withResolvers<RdbError | undefined>();
    this.closed = promise;
    this.stream = connection.openStream(KV_BATCH_PATH, rawCodec, {
      onMessage: (batch) => {
        for (const response of batch.responses) {
          this.answers.add(response);
        }
      },
      onClosed: resolve,
    });
  }

  send(batch: BatchRequest): void {
    this.stream.push(toBinary(BatchRequestSchema, batch));
  }

  /** The first `count` answers. */
  async first(count: number): Promise<KvResponse[]> {
    await this.answers.until((answers) => answers.length >= count);
    return this.answers.events.slice(0, count);
  }
}

const header = { regionId: 7n, storeId: 1n, epoch: { confVer: 1n, version: 2n } };

function get(requestId: number, key: string): KvRequest {
  return create(KvRequestSchema, {
    requestId,
    command: { case: "get", value: { key: new TextEncoder().encode(key) } },
  });
}

function batch(...requests: KvRequest[]): BatchRequest {
  return create(BatchRequestSchema, { regions: [{ header, requests }] });
}

function found(requestId: number, value: Uint8Array): KvResponse {
  return create(KvResponseSchema, { requestId, result: { case: "get", value: { found: true, value } } });
}

const text = new TextEncoder();

test("requests reach the loop with their Region's header, and the answers come back under their ids", async () => {
  handle.onHandle = (_header, request, respond) => respond(found(request.requestId, text.encode("v")));
  const client = new Client();
  client.send(batch(get(1, "a"), get(2, "b")));
  const answers = await client.first(2);
  expect(answers.map((answer) => answer.requestId)).toEqual([1, 2]);
  const [event] = handle.of("handle");
  expect(event?.header).toMatchObject({ regionId: 7n, epoch: { version: 2n } });
});

test("SPEC-M3: a bad request is refused with field and limit; its neighbours go on", async () => {
  handle.onHandle = (_header, request, respond) => respond(found(request.requestId, text.encode("v")));
  const client = new Client();
  client.send(batch(get(1, ""), get(2, "b")));
  const answers = await client.first(2);
  const refused = answers.find((answer) => answer.requestId === 1);
  expect(refused?.result).toMatchObject({
    case: "error",
    value: { message: "key must not be empty", reason: { case: "invalidArgument", value: { field: "key" } } },
  });
  expect(handle.of("handle").flatMap((event) => event.requests.map((request) => request.requestId))).toEqual([
    2,
  ]);
});

test("requests without a header are refused", async () => {
  const client = new Client();
  client.send(create(BatchRequestSchema, { regions: [{ requests: [get(1, "a")] }] }));
  const [answer] = await client.first(1);
  expect(answer?.result).toMatchObject({ case: "error", value: { message: "header must be set" } });
  expect(handle.of("handle")).toEqual([]);
});

test("past the limit of unanswered requests the Store is busy, and not any more once it answered", async () => {
  const client = new Client();
  client.send(batch(...[1, 2, 3, 4, 5, 6].map((id) => get(id, "a"))));
  const busy = await client.first(2);
  expect(busy.map((answer) => answer.requestId)).toEqual([5, 6]);
  expect(busy[0]?.result).toMatchObject({ value: { reason: { case: "serverIsBusy" } } });

  const [event] = await handle.first("handle");
  event?.respond(found(1, text.encode("v")));
  await client.first(3);
  client.send(batch(get(7, "a")));
  await handle.first("handle", 2);
  expect(handle.of("handle")[1]?.requests[0]?.requestId).toBe(7);
});

test("a malformed message ends its stream with INVALID_ARGUMENT and hurts no other", async () => {
  handle.onHandle = (_header, request, respond) => respond(found(request.requestId, text.encode("v")));
  const good = new Client();
  const bad = new Client();
  bad.stream.push(new Uint8Array([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]));
  const error = await bad.closed;
  expect(error?.code).toBe("RDB_INVALID_ARGUMENT");
  good.send(batch(get(1, "a")));
  await good.first(1);
});

test("answers that come after the client went away are dropped", async () => {
  const client = new Client();
  client.send(batch(get(1, "a")));
  const [event] = await handle.first("handle");
  connections[0]?.close();
  const other = new Client();
  other.send(batch(get(2, "b")));
  const [, second] = await handle.first("handle", 2);
  event?.respond(found(1, text.encode("late")));
  second?.respond(found(2, text.encode("v")));
  const [answer] = await other.first(1);
  expect(answer?.requestId).toBe(2);
});

test("a client that is done still gets its answers, then the stream ends well", async () => {
  const client = new Client();
  client.send(batch(get(1, "a")));
  const [event] = await handle.first("handle");
  client.stream.close();
  event?.respond(found(1, text.encode("v")));
  expect(await client.closed).toBeUndefined();
  expect(client.answers.events.length).toBe(1);
});

test("an answer that no message can hold becomes a refusal", async () => {
  const value = new Uint8Array(limits.valueMaxBytes);
  handle.onHandle = (_header, request, respond) =>
    respond(
      create(KvResponseSchema, {
        requestId: request.requestId,
        result: { case: "batchGet", value: { rows: Array.from({ length: 4 }, () => ({ value })) } },
      }),
    );
  const client = new Client();
  client.send(batch(get(1, "a")));
  const [answer] = await client.first(1);
  expect(answer?.result).toMatchObject({ case: "error", value: { reason: { value: { field: "keys" } } } });
});

test("a Store that is starting says of each request that it was not applied, and serves the stream later", async () => {
  handle.onHandle = (_header, request, respond) => respond(found(request.requestId, text.encode("v")));
  isStarting = true;
  const client = new Client();
  client.send(batch(get(1, "a"), get(2, "b")));
  for (const { result } of await client.first(2)) {
    expect(result).toMatchObject({
      case: "error",
      value: { message: "the Store is starting", reason: { case: "notLeader", value: { regionId: 7n } } },
    });
  }
  expect(handle.of("handle")).toEqual([]);

  isStarting = false;
  client.send(batch(get(3, "c")));
  const answers = await client.first(3);
  expect(answers[2]).toMatchObject({ requestId: 3, result: { case: "get", value: { found: true } } });
});

test("answers to reads that come all at once do not end the stream: what has no room is refused as busy", async () => {
  const rows = Array.from({ length: 3 }, () => ({ value: new Uint8Array(limits.valueMaxBytes - 1_024) }));
  const client = new Client();
  client.send(batch(...[1, 2, 3, 4].map((id) => get(id, "large"))));
  const [event] = await handle.first("handle");
  for (const requestId of [1, 2, 3, 4]) {
    event?.respond(create(KvResponseSchema, { requestId, result: { case: "batchGet", value: { rows } } }));
  }
  const answers = await client.first(4);
  const kinds = answers.map(({ result }) =>
    result.case === "error" ? result.value.reason.case : result.case,
  );
  expect(kinds).toEqual(["batchGet", "batchGet", "serverIsBusy", "serverIsBusy"]);
  client.stream.close();
  expect(await client.closed).toBeUndefined();
});
