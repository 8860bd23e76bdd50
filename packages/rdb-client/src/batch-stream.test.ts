import { fromBinary } from "@bufbuild/protobuf";
import { type Peer, SeededRandom, assert, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { BatchRequestSchema, type KvResponse } from "@flaredb/rdb-proto";
import type { StreamCodec } from "@flaredb/rdb-wire";
import { expect, test } from "vitest";
import { BatchStream } from "./batch-stream.ts";
import { KvCall } from "./kv-call.ts";
import type { StoreConnector } from "./ports.ts";
import type { RegionEntry } from "./region-cache.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WriteSessions } from "./write-sessions.ts";

const peer: Peer = { id: peerId(1), storeId: storeId(1), role: "Voter" };
const key = Uint8Array.of(1);

function makeEntry(id: number): RegionEntry {
  const epoch = { confVer: 1, version: 1 };
  const everything = { startKey: new Uint8Array(0), endKey: new Uint8Array(0) };
  return { region: { id: regionId(id), ...everything, epoch, peers: [peer] }, leader: peer };
}

function makeCall(entry = makeEntry(1)): KvCall {
  const call = new KvCall({
    name: "put",
    key,
    command: { case: "put", value: { $typeName: "rdb.v1.PutRequest", key, value: key } },
    isWrite: true,
    sizeBytes: 2,
    readFrom: "leader",
    deadlineMs: 10_000,
    timeoutMs: 10_000,
    signal: undefined,
    resolve: () => {},
    reject: () => {},
  });
  call.entry = entry;
  return call;
}

/** A stream whose socket takes nothing before `flush`. */
function blockedStream() {
  const clock = new ManualClock();
  let queue: KvCall[] = [];
  let codec: StreamCodec<KvCall, KvResponse[]> | undefined;
  const connector = {
    open: (_address: string, opened: StreamCodec<KvCall, KvResponse[]>) => {
      codec = opened;
      return {
        isOpen: true,
        roundTripMs: undefined,
        push: (call: KvCall) => queue.push(call) > 0,
        close: () => {},
      };
    },
  } as StoreConnector;
  const sessions = new WriteSessions({ clock, random: new SeededRandom(1) });
  const stream = new BatchStream(
    { connector, address: "s1:1", storeId: peer.storeId, clock, sessions },
    { onUp: () => {}, onAnswer: () => {}, onClosed: () => {} },
  );
  const flush = (): number[] => {
    assert(codec !== undefined, "the stream was opened");
    const message = codec.encode(queue);
    queue = [];
    const regions = message === undefined ? [] : fromBinary(BatchRequestSchema, message).regions;
    return regions.flatMap(({ requests }) => requests.map(({ requestId }) => requestId));
  };
  return { stream, flush };
}

test("a call that was given up while it was queued is not sent", () => {
  const { stream, flush } = blockedStream();
  const call = makeCall();
  stream.push(call);
  stream.forget(call);
  expect(flush()).toEqual([]);
});

test("a call that comes back while it is still queued is sent once, by its newest request id", () => {
  const { stream, flush } = blockedStream();
  const call = makeCall();
  stream.push(call);
  stream.forget(call);
  call.lose();
  stream.push(call);
  expect(flush()).toEqual([call.requestId]);
  expect([call.state, call.attemptCount]).toEqual(["sent", 1]);
});

test("writes of one Region get sequences that follow one another, whatever stands between them", () => {
  const { stream, flush } = blockedStream();
  const entries = [makeEntry(1), makeEntry(2)];
  const calls = [0, 1, 0, 1, 1, 0].map((place) => makeCall(entries[place]));
  for (const call of calls) {
    stream.push(call);
  }
  flush();
  expect(calls.map((call) => call.identity?.sequence)).toEqual([1, 4, 2, 5, 6, 3]);
});
