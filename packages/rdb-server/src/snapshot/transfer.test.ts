import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { type StoreId, regionId, silentLogger, storeId, systemClock } from "@flaredb/rdb-base";
import { RaftService, type SnapshotRequest } from "@flaredb/rdb-proto";
import type { SnapshotRow } from "@flaredb/rdb-storage";
import { RpcServer, httpWire, unaryTransport } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseStoreConfig } from "../config.ts";
import type { OutgoingSnapshot } from "../store/ports.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { outgoingSnapshot } from "../testing/outgoing-snapshot.ts";
import { sessionRows, someRows } from "../testing/snapshot-rows.ts";
import { SnapshotReceiver } from "./receiver.ts";
import { SnapshotSender } from "./sender.ts";
import { SnapshotFolder } from "./snapshot-folder.ts";

const ident = (id: number) => ({ kind: "Store" as const, clusterId: 5, storeId: storeId(id) });
const config = {
  ...parseStoreConfig({ dataDir: "unused" }).snapshot,
  chunkMaxBytes: 2_000,
  sendMaxCount: 2,
  sendQueueMaxCount: 1,
  stallTimeoutMs: 1_000,
  resumeTimeoutMs: 300,
};

let path: string;
let folder: SnapshotFolder;
let handle: FakeStoreHandle;
let sending: FakeStoreHandle;
let server: RpcServer;
let sender: SnapshotSender;
/** Stands between the wire and the receiver. */
let tamper: (requests: AsyncIterable<SnapshotRequest>) => AsyncIterable<SnapshotRequest>;
/** What was to be sent. */
let sent: ReturnType<typeof outgoingSnapshot>[];
/** The transfer that came in last. */
let receiving: ReturnType<SnapshotReceiver["receive"]>;
let receiver: SnapshotReceiver;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rdb-transfer-"));
  folder = await SnapshotFolder.open(path, new Set());
  handle = new FakeStoreHandle();
  sending = new FakeStoreHandle();
  tamper = (requests) => requests;
  sent = [];
  receiver = new SnapshotReceiver({
    ident: ident(2),
    handle,
    files: folder,
    clock: systemClock,
    logger: silentLogger,
    config,
  });
  server = new RpcServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    routes: (router) =>
      router.service(RaftService, {
        snapshot(requests) {
          receiving = receiver.receive(tamper(requests));
          return receiving;
        },
        offerSnapshot: (request) => receiver.offer(request),
      }),
  });
  await server.listen();
  sender = makeSender(() => server.address);
});

afterEach(async () => {
  sender.close();
  await server.close(0);
  await receiver.close();
  await rm(path, { recursive: true });
});

function makeSender(addressOf: (id: StoreId) => string | undefined): SnapshotSender {
  const made = new SnapshotSender({
    ident: ident(1),
    bootId: 11,
    wire: httpWire(),
    clock: systemClock,
    logger: silentLogger,
    config,
    localAddress: "127.0.0.1",
    addressOf,
  });
  made.start(sending);
  return made;
}

function outgoing(rows: readonly SnapshotRow[], region = 7): OutgoingSnapshot {
  const made = outgoingSnapshot(rows, { region });
  sent.push(made);
  return made;
}

function closedCursorCount(): number {
  return sent.reduce((sum, { closedCount }) => sum + closedCount(), 0);
}

async function* mapChunks(
  requests: AsyncIterable<SnapshotRequest>,
  change: (request: SnapshotRequest, place: number) => SnapshotRequest | undefined,
): AsyncGenerator<SnapshotRequest> {
  let place = 0;
  for await (const request of requests) {
    const changed = change(request, place++);
    if (changed !== undefined) {
      yield changed;
    }
  }
}

test("SPEC-R6: a snapshot arrives whole, is durable, and both loops hear of it once", async () => {
  const rows = [...someRows(3_000), ...sessionRows(regionId(7), 10)];
  sender.send(outgoing(rows));
  const [event] = await handle.first("snapshotReceived");
  expect(event?.snapshot).toMatchObject({ snapshotId: "7-6-123", region: { id: 7, epoch: { version: 4 } } });
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status).toEqual({ regionId: 7, toPeerId: 20, ok: true });
  expect(closedCursorCount()).toBe(2);
  const got: string[] = [];
  for await (const batch of folder.read("7-6-123", 100_000)) {
    got.push(...batch.map((row) => `${row.column} ${Buffer.from(row.key).toString("hex")}`));
  }
  expect(got).toEqual(rows.map((row) => `${row.column} ${Buffer.from(row.key).toString("hex")}`));
});

test("a Region without rows has a snapshot too", async () => {
  sender.send(outgoing([]));
  await handle.first("snapshotReceived");
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(true);
});

test("a snapshot that the loop does not want is refused before its content comes", async () => {
  handle.onAcceptsSnapshot = () => "its range overlaps Region 9";
  sender.send(outgoing(someRows(20_000, 500)));
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(false);
  expect(closedCursorCount()).toBe(2);
  expect(await readdir(path)).toEqual([]);
});

test.each<[string, (request: SnapshotRequest, place: number) => SnapshotRequest | undefined]>([
  ["a lost chunk", (request, place) => (place === 2 ? undefined : request)],
  [
    "a damaged chunk",
    (request, place) => {
      if (place === 2 && request.part.case === "chunk") {
        const data = Uint8Array.from(request.part.value.data);
        data[5] = (data[5] as number) ^ 1;
        request.part.value.data = data;
      }
      return request;
    },
  ],
  [
    "an end before the last chunk",
    (request) => (request.part.case === "chunk" && request.part.value.last ? undefined : request),
  ],
  [
    "another cluster",
    (request) => {
      if (request.part.case === "header") {
        request.part.value.clusterId = 6n;
      }
      return request;
    },
  ],
  [
    "another Store",
    (request) => {
      if (request.part.case === "header") {
        request.part.value.toStoreId = 3n;
      }
      return request;
    },
  ],
  [
    "an id that leaves the folder",
    (request) => {
      if (request.part.case === "header" && request.part.value.message?.payload.case === "message") {
        const { snapshot } = request.part.value.message.payload.value;
        if (snapshot !== undefined) {
          snapshot.data = Buffer.from(
            Buffer.from(snapshot.data).toString("latin1").replace("7-6-123", "../../x"),
            "latin1",
          );
        }
      }
      return request;
    },
  ],
  [
    "a chunk of another place",
    (request, place) => {
      if (place === 2 && request.part.case === "chunk") {
        request.part.value.index = 0;
      }
      return request;
    },
  ],
  [
    "a chunk that overlaps the one before",
    (request, place) => {
      if (place === 3 && request.part.case === "chunk") {
        const { data } = request.part.value;
        request.part.value.data = Buffer.concat([data.subarray(-7), data]);
      }
      return request;
    },
  ],
  [
    "a chunk that is larger than any",
    (request, place) => {
      if (place === 2 && request.part.case === "chunk") {
        request.part.value.data = new Uint8Array(9 * 1024 * 1024);
      }
      return request;
    },
  ],
  [
    "a second header in the middle",
    (request, place) => (place === 2 ? { ...request, part: { case: undefined } } : request),
  ],
  [
    "the header of another Region",
    (request) => {
      if (request.part.case === "header" && request.part.value.region !== undefined) {
        request.part.value.region.id = 8n;
      }
      return request;
    },
  ],
  [
    "a message of another Region",
    (request) => {
      if (request.part.case === "header" && request.part.value.message !== undefined) {
        request.part.value.message.regionId = 8n;
      }
      return request;
    },
  ],
  ["no header", (request, place) => (place === 0 ? undefined : request)],
])("a transfer with %s leaves nothing behind, and the sender learns of it", async (_name, change) => {
  tamper = (requests) => mapChunks(requests, change);
  sender.send(outgoing(someRows(1_000)));
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(false);
  expect(closedCursorCount()).toBe(2);
  expect(handle.of("snapshotReceived")).toEqual([]);
  expect(await readdir(path)).toEqual([]);
  // And the next attempt succeeds.
  tamper = (requests) => requests;
  sender.send(outgoing(someRows(1_000)));
  await handle.first("snapshotReceived");
});

test("a transfer that finds the disk full on its way stops there, and gives back what it took", async () => {
  let chunkCount = 0;
  tamper = (requests) =>
    mapChunks(requests, (request) => {
      chunkCount += request.part.case === "chunk" ? 1 : 0;
      if (chunkCount === 5) {
        handle.onAcceptsSnapshot = () => "the disk of Store 2 is nearly full";
      }
      return request;
    });
  sender.send(outgoing(someRows(100_000)));
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(false);
  await receiving;
  expect(handle.of("snapshotReceived")).toEqual([]);
  expect(handle.reservedCount).toBe(0);
  expect(await readdir(path)).toEqual([]);
  expect(chunkCount).toBeLessThan(100);
});

test("a transfer that stands still is given up on both sides", async () => {
  tamper = (requests) =>
    (async function* () {
      for await (const request of requests) {
        yield request;
        if (request.part.case === "chunk") {
          await new Promise(() => {});
        }
      }
    })();
  sender.send(outgoing(someRows(1_000)));
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(false);
  expect(handle.of("snapshotReceived")).toEqual([]);
});

test("a sender that goes away for good leaves nothing behind", async () => {
  let seen = 0;
  const { promise: midway, resolve } = Promise.withResolvers<void>();
  tamper = (requests) =>
    mapChunks(requests, (request) => {
      if (++seen === 20) {
        resolve();
      }
      return request;
    });
  sender.send(outgoing(someRows(100_000)));
  await midway;
  sender.close();
  const [status] = await sending.first("snapshotStatus");
  expect(status?.status.ok).toBe(false);
  await receiving;
  expect(await readdir(path)).toEqual(["7-6-123.part"]);
  await vi.waitFor(async () => expect(await readdir(path)).toEqual([]));
});

test("only so many are sent at once; more wait, and too many fail at once", async () => {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let begun = 0;
  tamper = (requests) =>
    (async function* () {
      begun++;
      await opened;
      yield* requests;
    })();
  for (const id of [1, 2, 3, 4]) {
    sender.send(outgoing(someRows(10), id));
  }
  const [first] = await sending.first("snapshotStatus");
  expect(first?.status).toMatchObject({ regionId: 4, ok: false });
  await vi.waitFor(() => expect(begun).toBe(2));
  // A third would have begun together with these.
  await new Promise<void>((resolve) => systemClock.setTimer(50, resolve));
  expect(begun).toBe(2);
  open();
  const statuses = await sending.first("snapshotStatus", 4);
  expect(statuses.slice(1).every(({ status }) => status.ok)).toBe(true);
  expect(begun).toBe(3);
  expect(closedCursorCount()).toBe(8);
});

test("a Store whose address is not known, or that does not answer, fails the transfer", async () => {
  makeSender(() => undefined).send(outgoing(someRows(10)));
  await server.close(0);
  sender.send(outgoing(someRows(10)));
  const statuses = await sending.first("snapshotStatus", 2);
  expect(statuses.map(({ status }) => status.ok)).toEqual([false, false]);
  expect(closedCursorCount()).toBe(4);
});

test("the same snapshot is not received twice at once, nor while it waits to be applied", async () => {
  sender.send(outgoing(someRows(10)));
  await handle.first("snapshotReceived");
  await sending.first("snapshotStatus");
  sender.send(outgoing(someRows(10)));
  const [, second] = await sending.first("snapshotStatus", 2);
  expect(second?.status.ok).toBe(false);
  await folder.remove("7-6-123");
  sender.send(outgoing(someRows(10)));
  const [, , third] = await sending.first("snapshotStatus", 3);
  expect(third?.status.ok).toBe(true);
});

test("a foreign client's nonsense is answered, not thrown at", async () => {
  const { transport, close } = unaryTransport(server.address);
  const response = await createClient(RaftService, transport).snapshot(
    (async function* () {
      yield { part: { case: "header" as const, value: { clusterId: 5n } } };
    })(),
  );
  close();
  expect(response).toMatchObject({ accepted: false, reason: "the snapshot's header is without its message" });
});
