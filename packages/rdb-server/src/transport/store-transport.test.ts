import { create } from "@bufbuild/protobuf";
import {
  SeededRandom,
  type StoreId,
  index,
  regionId,
  silentLogger,
  storeId,
  systemClock,
  term,
} from "@flaredb/rdb-base";
import { StoreSchema } from "@flaredb/rdb-proto";
import { RpcServer, httpWire } from "@flaredb/rdb-wire";
import { afterEach, expect, test } from "vitest";
import { serveRaft } from "../rpc/raft-service.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { appendMessage, raftMessage } from "../testing/peer-messages.ts";
import { AddressBook } from "./address-book.ts";
import { StoreTransport } from "./store-transport.ts";

/** One Store's way to the others, with a loop that only listens. */
class TestStore {
  readonly id: StoreId;
  readonly handle = new FakeStoreHandle();
  readonly book = new AddressBook({ get: () => undefined, submit: () => {} }, silentLogger);
  readonly transport: StoreTransport;
  readonly #clusterId: number;
  #server: RpcServer | undefined;
  isStalled = false;

  constructor(id: number, options: { clusterId?: number; bootId?: number; storeSilentMs?: number } = {}) {
    this.id = storeId(id);
    this.#clusterId = options.clusterId ?? 1;
    this.transport = new StoreTransport({
      ident: { kind: "Store", clusterId: this.#clusterId, storeId: this.id },
      bootId: options.bootId ?? id,
      wire: httpWire(),
      clock: systemClock,
      random: new SeededRandom(id),
      logger: silentLogger,
      config: {
        transport: { bulkQueueMaxBytes: 1_000_000, urgentQueueMaxBytes: 100_000 },
        livenessIntervalMs: 40,
        storeSilentMs: options.storeSilentMs ?? 200,
        outgoingHost: "127.0.0.1",
      },
      addressBook: this.book,
      sendSnapshot: () => {},
      isStalled: () => this.isStalled,
    });
  }

  async listen(port = 0): Promise<this> {
    this.#server = new RpcServer({ host: "127.0.0.1", port, logger: silentLogger, clock: systemClock });
    serveRaft(this.#server, () => ({
      ident: { kind: "Store", clusterId: this.#clusterId, storeId: this.id },
      handle: this.handle,
      liveness: this.transport.liveness,
      clock: systemClock,
      logger: silentLogger,
    }));
    await this.#server.listen();
    return this;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Learns of the others, as from PD. */
  meet(...others: { id: StoreId; port: number }[]): void {
    this.book.update(
      others.map(({ id, port }) => create(StoreSchema, { id: BigInt(id), address: `127.0.0.1:${port}` })),
    );
  }

  async close(): Promise<void> {
    this.transport.close();
    await this.#server?.close(0);
  }
}

const stores: TestStore[] = [];

async function startStore(id: number, options?: ConstructorParameters<typeof TestStore>[1], port = 0) {
  const store = await new TestStore(id, options).listen(port);
  stores.push(store);
  return store;
}

/** Two Stores that know and hear each other. */
async function startPair(): Promise<[TestStore, TestStore]> {
  const pair: [TestStore, TestStore] = [await startStore(1), await startStore(2)];
  const [one, two] = pair;
  for (const [store, other] of [
    [one, two],
    [two, one],
  ] as const) {
    store.meet(one, other);
    store.transport.start(store.handle);
  }
  await Promise.all(pair.map((store) => store.handle.first("storeReturned")));
  return pair;
}

/** Sends until the stream is up. */
async function sendWhenUp(store: TestStore, message: Parameters<StoreTransport["send"]>[0]): Promise<void> {
  while (!store.transport.send(message)) {
    await new Promise<void>((resolve) => systemClock.setImmediate(resolve));
  }
}

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

test("SPEC-M2: appends and votes reach the other Store whole, each lane in order", async () => {
  const [one, two] = await startPair();
  const data = new Uint8Array(70_000).fill(7);
  const appends = [0, 1, 2].map((previous) => appendMessage(1, 2, previous, data));
  const vote = raftMessage(1, 2, { type: "MsgVote", term: term(9) });
  for (const message of [...appends, vote]) {
    await sendWhenUp(one, message);
  }
  await two.handle.log.until(() => two.handle.of("receive").flatMap((event) => event.messages).length === 4);
  const received = two.handle.of("receive").flatMap((event) => [...event.messages]);
  const isVote = (message: unknown) => JSON.stringify(message).includes("MsgVote");
  expect(received.filter((message) => !isVote(message))).toEqual(appends);
  expect(received.filter(isVote)).toEqual([vote]);
});

test("SPEC-M2: a message that the loop refuses comes back, and the loop learns that the peer is unreachable", async () => {
  const [one, two] = await startPair();
  two.handle.onReceive = (messages) =>
    messages.map((message) => ({
      regionId: message.regionId,
      toPeerId: message.toPeer.id,
      reason: "RegionNotFound",
    }));
  await sendWhenUp(one, raftMessage(1, 2, {}, 44));
  const [event] = await one.handle.first("unreachable");
  expect(event).toMatchObject({ storeId: 2, regionId: 44 });
});

test("SPEC-M2: messages for another Store are refused and never reach the loop", async () => {
  const [one, two] = await startPair();
  const three = await startStore(3);
  // Store 3 moved to where Store 2 was; Store 1 does not know yet.
  one.meet(one, { id: two.id, port: three.port });
  await one.handle.first("unreachable");
  await sendWhenUp(one, raftMessage(1, 2));
  await one.handle.first("unreachable", 2);
  expect(three.handle.of("receive")).toEqual([]);
  expect(three.transport.isAlive(one.id)).toBe(false);
});

test("messages of another cluster are refused and never reach the loop", async () => {
  const one = await startStore(1);
  const stranger = await startStore(2, { clusterId: 2 });
  one.meet(one, stranger);
  one.transport.start(one.handle);
  await sendWhenUp(one, raftMessage(1, 2));
  await one.handle.first("unreachable");
  expect(stranger.handle.of("receive")).toEqual([]);
});

test("a message to a Store that is not known, or does not answer, is dropped at once", async () => {
  const one = await startStore(1);
  one.transport.start(one.handle);
  expect(one.transport.send(raftMessage(1, 2))).toBe(false);
  const gone = await startStore(2);
  const { port } = gone;
  await gone.close();
  one.meet(one, { id: storeId(2), port });
  expect(one.transport.send(raftMessage(1, 2))).toBe(false);
});

test("past the bytes that may wait, messages are dropped", async () => {
  const [one] = await startPair();
  const data = new Uint8Array(300_000);
  await sendWhenUp(one, appendMessage(1, 2, 0, data));
  const taken = Array.from({ length: 10 }, (_, i) => one.transport.send(appendMessage(1, 2, i + 1, data)));
  expect(taken.filter(Boolean).length).toBeLessThanOrEqual(3);
  expect(taken.at(-1)).toBe(false);
});

test("a Store without anything to say stays alive; one that is gone is silent; one that starts anew returns", async () => {
  const [one, two] = await startPair();
  const { port } = two;
  await two.close();
  await one.handle.first("storeSilent");
  expect(one.transport.isAlive(two.id)).toBe(false);

  const anew = await startStore(2, { bootId: 99 }, port);
  anew.meet(one, anew);
  anew.transport.start(anew.handle);
  await one.handle.first("storeReturned", 2);
  expect(one.transport.isAlive(two.id)).toBe(true);
  // Signs of life alone keep it so, for many times storeSilentMs.
  const quietUntil = systemClock.monotonicMs() + 600;
  await anew.handle.first("storeReturned");
  await new Promise<void>((resolve) => systemClock.setTimer(quietUntil - systemClock.monotonicMs(), resolve));
  expect(one.handle.of("storeSilent").length).toBe(1);
  expect(one.transport.isAlive(two.id)).toBe(true);
});

test("a Store whose disk stands still shows no life", async () => {
  const [one, two] = await startPair();
  two.isStalled = true;
  const [event] = await one.handle.first("storeSilent");
  expect(event?.storeId).toBe(2);
});

test("when a connection is lost, the loop learns that the whole Store is unreachable", async () => {
  const [one, two] = await startPair();
  await two.close();
  const [event] = await one.handle.first("unreachable");
  expect(event).toMatchObject({ storeId: 2, regionId: undefined });
});

test("SPEC-M2: a malformed message is refused alone; its neighbours arrive", async () => {
  const [one, two] = await startPair();
  const good = raftMessage(1, 2, { commit: index(7) });
  await sendWhenUp(one, raftMessage(1, 2, { term: 0 }, 8));
  await sendWhenUp(one, good);
  await two.handle.log.until(() => two.handle.of("receive").length === 1);
  const [event] = await one.handle.first("unreachable");
  expect(event).toMatchObject({ storeId: 2, regionId: regionId(8) });
  expect(two.handle.of("receive").flatMap((received) => received.messages)).toEqual([good]);
});

test("a transfer that speaks for another peer is dropped, not sent under a wrong name", async () => {
  const [one] = await startPair();
  const forwarded = raftMessage(1, 2, { type: "MsgTransferLeader", from: raftMessage(3, 2).fromPeer.id });
  expect(one.transport.send(forwarded)).toBe(false);
  expect(() => one.transport.send(raftMessage(1, 2, { type: "MsgSnap" }))).toThrow("sendSnapshot");
});
