import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type LogFields, type RdbError, silentLogger, storeId, systemClock } from "@flaredb/rdb-base";
import {
  type RaftRefusal,
  type RaftServiceBatchRequest,
  RaftServiceBatchRequestSchema,
  type RaftServiceBatchResponse,
  RaftServiceBatchResponseSchema,
  RefusalReason,
} from "@flaredb/rdb-proto";
import { type ClientStream, RpcConnection, RpcServer, type StreamCodec } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { PeerMessage } from "../store/peer-message.ts";
import { EventLog } from "../testing/event-log.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { raftMessage } from "../testing/peer-messages.ts";
import { encodeRaftBatch } from "../transport/raft-encoder.ts";
import { RAFT_BATCH_PATH } from "../transport/raft-service-path.ts";
import { serveRaft } from "./raft-service.ts";

const codec: StreamCodec<Uint8Array, RaftServiceBatchResponse> = {
  encode: ([bytes]) => bytes,
  sizeOf: (bytes) => bytes.length,
  decode: (bytes) => fromBinary(RaftServiceBatchResponseSchema, bytes),
  limits: { frameMaxCount: 1 },
};

const warnings: LogFields[] = [];
let handle: FakeStoreHandle;
let heard: string[];
let server: RpcServer;
let connection: RpcConnection;
let stream: ClientStream<Uint8Array, RaftServiceBatchResponse>;
let refusals: EventLog<RaftRefusal>;
let closed: Promise<RdbError | undefined>;

beforeEach(async () => {
  handle = new FakeStoreHandle();
  heard = [];
  warnings.length = 0;
  refusals = new EventLog();
  server = new RpcServer({ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock });
  serveRaft(server, () => ({
    ident: { kind: "Store", clusterId: 5, storeId: storeId(2) },
    handle,
    liveness: { heard: (from, bootId) => heard.push(`${from} ${bootId}`) },
    logger: { ...silentLogger, warn: (fields) => warnings.push(fields) },
    clock: systemClock,
  }));
  await server.listen();
  connection = new RpcConnection({ address: server.address, clock: systemClock });
  const ended = Promise.withResolvers<RdbError | undefined>();
  closed = ended.promise;
  stream = connection.openStream(RAFT_BATCH_PATH, codec, {
    onMessage: (response) => {
      for (const refusal of response.refusals) {
        refusals.add(refusal);
      }
    },
    onClosed: ended.resolve,
  });
});

afterEach(async () => {
  connection.close();
  await server.close(0);
});

/** A batch from Store 1 to Store 2, changed by `change`. */
function send(messages: PeerMessage[], change: (batch: RaftServiceBatchRequest) => void = () => {}): void {
  const header = { clusterId: 5, fromStoreId: storeId(1), toStoreId: storeId(2), bootId: 9 };
  const batch = fromBinary(RaftServiceBatchRequestSchema, encodeRaftBatch(header, messages));
  change(batch);
  stream.push(toBinary(RaftServiceBatchRequestSchema, batch));
}

async function firstRefusal(): Promise<RaftRefusal | undefined> {
  await refusals.until((all) => all.length > 0);
  return refusals.events[0];
}

test("SPEC-M2: messages reach the loop, and their sender counts as heard", async () => {
  send([raftMessage(1, 2, {}, 7), raftMessage(1, 2, {}, 8)]);
  const [event] = await handle.first("receive");
  expect(event?.messages.map((message) => message.regionId)).toEqual([7, 8]);
  expect(heard).toEqual(["1 9"]);
});

test("a sign of life is heard, and nothing reaches the loop", async () => {
  send([]);
  send([raftMessage(1, 2)]);
  await handle.first("receive");
  expect(heard).toEqual(["1 9", "1 9"]);
  expect(handle.of("receive").length).toBe(1);
});

test.each<[string, (batch: RaftServiceBatchRequest) => void, RefusalReason]>([
  ["another cluster", (batch) => void (batch.clusterId = 6n), RefusalReason.CLUSTER_MISMATCH],
  ["another Store", (batch) => void (batch.toStoreId = 3n), RefusalReason.STORE_NOT_MATCH],
  ["this Store itself", (batch) => void (batch.fromStoreId = 2n), RefusalReason.STORE_NOT_MATCH],
])(
  "SPEC-M2: a batch for or from %s is refused whole, and is no sign of life",
  async (_name, change, reason) => {
    send([raftMessage(1, 2, {}, 7)], change);
    expect(await firstRefusal()).toMatchObject({ regionId: 0n, reason });
    expect(handle.of("receive")).toEqual([]);
    expect(heard).toEqual([]);
  },
);

test("SPEC-M2: a foreign cluster or Store is logged once, and many of them do not fill the log", async () => {
  for (let left = 5; left > 0; left--) {
    send([], (batch) => void (batch.clusterId = 6n));
  }
  await refusals.until((all) => all.length === 5);
  expect(warnings).toMatchObject([{ from: "Store 1 of cluster 6", reason: "ClusterMismatch" }]);
  for (let cluster = 100n; cluster < 200n; cluster++) {
    send([], (batch) => void (batch.clusterId = cluster));
  }
  await refusals.until((all) => all.length === 105);
  expect(warnings).toHaveLength(16);
});

test.each([
  ["to a peer on another Store", raftMessage(1, 3, {}, 7)],
  ["from a peer on another Store than the batch", raftMessage(3, 2, {}, 7)],
])("SPEC-M2: a message %s is refused alone", async (_name, message) => {
  send([message, raftMessage(1, 2, {}, 8)]);
  expect(await firstRefusal()).toMatchObject({ regionId: 7n, reason: RefusalReason.STORE_NOT_MATCH });
  const [event] = await handle.first("receive");
  expect(event?.messages.map(({ regionId }) => regionId)).toEqual([8]);
});

test("a sender whose id cannot be held ends the stream", async () => {
  send([], (batch) => void (batch.fromStoreId = 2n ** 60n));
  expect(await closed).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
});

test("bytes that are no message end the stream", async () => {
  stream.push(new Uint8Array([0x2a, 0xff, 0xff]));
  expect(await closed).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
});

test("refusals that come after the stream ended are dropped", async () => {
  let refuse: (() => void) | undefined;
  handle.receive = (messages, callback) => {
    refuse = () => callback(messages.map(({ regionId }) => ({ regionId, toPeerId: 1, reason: "Busy" })));
    handle.log.add({ kind: "receive", messages });
  };
  send([raftMessage(1, 2)]);
  await handle.first("receive");
  connection.close();
  await closed;
  expect(refuse).not.toThrow();
});
