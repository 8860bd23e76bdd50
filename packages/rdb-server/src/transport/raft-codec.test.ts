import { type MessageInitShape, create, fromBinary } from "@bufbuild/protobuf";
import { type Peer, type PeerId, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import {
  EntryType,
  MessageType,
  type RaftMessage,
  RaftMessageSchema,
  RaftServiceBatchRequestSchema,
  type RefusalReason,
} from "@flaredb/rdb-proto";
import type { Entry, Message } from "@flaredb/rdb-raft";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerMessage, PeerPayload, RefusalReason as Reason } from "../store/peer-message.ts";
import { decodePeerMessage, decodeRefusal, encodeRefusal } from "./raft-codec.ts";
import { encodePeerMessage, encodeRaftBatch, peerMessageMaxBytes } from "./raft-encoder.ts";

const safe = fc.oneof(fc.nat(300), fc.maxSafeNat());
const id = safe.map((value) => Math.max(value, 1));
const bytes = fc.uint8Array({ maxLength: 300 });
const peerIds = fc.array(id.map(peerId), { maxLength: 4 });

const peer: fc.Arbitrary<Peer> = fc.record({
  id: id.map(peerId),
  storeId: id.map(storeId),
  role: fc.constantFrom("Voter", "Learner", "IncomingVoter", "DemotingVoter"),
});
const epoch = fc.record({ confVer: safe, version: safe });

const snapshot = fc.record({
  metadata: fc.record({
    confState: fc.record({
      voters: fc.array(id.map(peerId), { minLength: 1, maxLength: 4 }),
      learners: peerIds,
      votersOutgoing: peerIds,
      learnersNext: peerIds,
      autoLeave: fc.boolean(),
    }),
    index: id.map(index),
    term: id.map(term),
  }),
  data: bytes,
});

const entries = fc.record({
  previous: fc.nat(2 ** 40),
  list: fc.array(
    fc.record({ type: fc.constantFrom<Entry["type"]>("Normal", "ConfChange", "ConfChangeV2"), data: bytes }),
    {
      maxLength: 5,
    },
  ),
  term: id,
});

const base = fc.record({
  term: id.map(term),
  logTerm: safe.map(term),
  commit: safe.map(index),
  reject: fc.boolean(),
  rejectHint: safe.map(index),
  context: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 }), { nil: undefined }),
});

type Fields = Omit<Message, "to" | "from" | "vote" | "responses">;

const append: fc.Arbitrary<Fields> = fc
  .tuple(base, entries)
  .map(([fields, { previous, list, term: entryTerm }]) => ({
    ...fields,
    type: "MsgApp",
    index: index(previous),
    entries: list.map((entry, i) => ({ ...entry, index: index(previous + 1 + i), term: term(entryTerm) })),
    snapshot: undefined,
  }));
const snapshotMessage: fc.Arbitrary<Fields> = fc
  .tuple(base, snapshot)
  .map(([fields, value]) => ({ ...fields, type: "MsgSnap", index: 0, entries: [], snapshot: value }));
const other: fc.Arbitrary<Fields> = fc
  .tuple(
    base,
    safe.map(index),
    fc.constantFrom<Message["type"]>(
      "MsgAppResp",
      "MsgVote",
      "MsgVoteResp",
      "MsgHeartbeat",
      "MsgHeartbeatResp",
      "MsgTransferLeader",
      "MsgTimeoutNow",
      "MsgReadIndex",
      "MsgReadIndexResp",
      "MsgPreVote",
      "MsgPreVoteResp",
    ),
  )
  .map(([fields, at, type]) => ({ ...fields, type, index: at, entries: [], snapshot: undefined }));
const proposal: fc.Arbitrary<Fields> = fc.tuple(base, bytes).map(([fields, data]) => ({
  ...fields,
  type: "MsgProp",
  term: 0,
  index: 0,
  entries: [{ type: "Normal", term: term(0), index: index(0), data }],
  snapshot: undefined,
}));

const replicaHash: fc.Arbitrary<PeerPayload> = fc.record({
  kind: fc.constant("replicaHash" as const),
  report: fc.record({
    index: fc.nat(),
    hash: fc.uint8Array({ maxLength: 32 }),
    isDamaged: fc.boolean(),
    isHalted: fc.boolean(),
  }),
});
const hibernate: fc.Arbitrary<PeerPayload> = fc.record({
  kind: fc.constant("hibernate" as const),
  step: fc.constantFrom("Ask", "Agree", "Sleep", "Wake"),
  term: id.map(term),
  commit: safe.map(index),
});
const tombstone: fc.Arbitrary<PeerPayload> = fc.record({ kind: fc.constant("tombstone" as const), epoch });
const merged: fc.Arbitrary<PeerPayload> = fc.record({
  kind: fc.constant("merged" as const),
  into: fc.record({
    ...{ id: id.map(regionId), startKey: bytes, endKey: bytes, epoch },
    peers: fc.array(peer, { maxLength: 8 }),
  }),
});
const askMerge: fc.Arbitrary<PeerPayload> = fc.record({
  kind: fc.constant("askMerge" as const),
  question: fc.record({
    target: fc.record({ id: id.map(regionId), epoch }),
    prepareIndex: safe.map(index),
    keeper: id.map(regionId),
    givesUp: fc.boolean(),
  }),
});
const mergeRefused: fc.Arbitrary<PeerPayload> = fc.record({
  kind: fc.constant("mergeRefused" as const),
  prepareIndex: safe.map(index),
});

const peerMessage: fc.Arbitrary<PeerMessage> = fc
  .record({
    regionId: id.map(regionId),
    fromPeer: peer,
    toPeer: peer,
    epoch,
    range: fc.option(fc.record({ startKey: bytes, endKey: bytes }), { nil: undefined }),
    payload: fc.oneof<fc.Arbitrary<Fields | PeerPayload>[]>(
      append,
      snapshotMessage,
      other,
      proposal,
      hibernate,
      replicaHash,
      tombstone,
      merged,
      askMerge,
      mergeRefused,
    ),
  })
  // No peer speaks to itself, and no Region takes itself.
  .filter(({ regionId: region, fromPeer, toPeer, payload }) => {
    const takesItself = "kind" in payload && payload.kind === "merged" && payload.into.id === region;
    return fromPeer.id !== toPeer.id && !takesItself;
  })
  .map(({ payload, ...envelope }) => ({
    ...envelope,
    payload:
      "kind" in payload
        ? payload
        : {
            kind: "raft" as const,
            message: {
              ...payload,
              from: envelope.fromPeer.id,
              to: envelope.toPeer.id,
              vote: 0 as const,
              responses: [],
            },
          },
  }));

test("SPEC-M2: what the other Store decodes is the message that was sent", () => {
  fc.assert(
    fc.property(peerMessage, (message) => {
      const wire = encodePeerMessage(message);
      expect(wire.length).toBeLessThanOrEqual(peerMessageMaxBytes(message));
      expect(decodePeerMessage(fromBinary(RaftMessageSchema, wire))).toEqual({ ok: true, message });
    }),
    { numRuns: 500 },
  );
});

test("a batch carries its header and its messages in order; one without messages is a sign of life", () => {
  fc.assert(
    fc.property(fc.array(peerMessage, { maxLength: 4 }), id, id, safe, (messages, from, to, bootId) => {
      const header = { clusterId: 77, fromStoreId: storeId(from), toStoreId: storeId(to), bootId };
      const batch = fromBinary(RaftServiceBatchRequestSchema, encodeRaftBatch(header, messages));
      expect(batch).toMatchObject({
        clusterId: 77n,
        fromStoreId: BigInt(from),
        toStoreId: BigInt(to),
        bootId: BigInt(bootId),
      });
      expect(batch.messages.map(decodePeerMessage)).toEqual(
        messages.map((message) => ({ ok: true, message })),
      );
    }),
  );
});

const wirePeer = (value: bigint) => ({ id: value, storeId: value, role: 1 });
const valid = {
  regionId: 9n,
  fromPeer: wirePeer(1n),
  toPeer: wirePeer(2n),
  epoch: { confVer: 1n, version: 1n },
  payload: { case: "message", value: { type: MessageType.HEARTBEAT, term: 3n } },
};
const withMessage = (value: object) => ({ ...valid, payload: { case: "message", value } });
const appended = (...list: { index?: bigint; term?: bigint; type?: EntryType }[]) =>
  withMessage({
    type: MessageType.APPEND,
    term: 3n,
    index: 4n,
    entries: list.map((entry) => ({ index: 5n, term: 2n, type: EntryType.NORMAL, ...entry })),
  });
const tooLarge = 2n ** 53n;

/** What a foreign or newer program may send: our own types would not allow it. */
function wireMessage(init: object): RaftMessage {
  return create(RaftMessageSchema, init as MessageInitShape<typeof RaftMessageSchema>);
}

test.each<[string, object, string]>([
  ["no Region", { ...valid, regionId: 0n }, "region_id is missing"],
  [
    "a Region id above 2^53",
    { ...valid, regionId: tooLarge },
    "region id 9007199254740992 must be an integer",
  ],
  ["no sender", { ...valid, fromPeer: undefined }, "from_peer is missing"],
  ["no receiver", { ...valid, toPeer: undefined }, "to_peer is missing"],
  ["a peer without an id", { ...valid, toPeer: wirePeer(0n) }, "to_peer id is missing"],
  ["a peer without a role", { ...valid, fromPeer: { ...wirePeer(1n), role: 0 } }, "peer role 0 is not known"],
  [
    "a role from the future",
    { ...valid, fromPeer: { ...wirePeer(1n), role: 17 } },
    "peer role 17 is not known",
  ],
  ["no epoch", { ...valid, epoch: undefined }, "epoch is missing"],
  ["no payload", { ...valid, payload: undefined }, "payload is missing"],
  ["a type from the future", withMessage({ type: 99, term: 1n }), "message type 99 is not known"],
  ["no type", withMessage({ term: 1n }), "message type 0 is not known"],
  ["term 0", withMessage({ type: MessageType.APPEND }), "MsgApp has term 0"],
  [
    "a term above 2^53",
    withMessage({ type: MessageType.VOTE, term: tooLarge }),
    "term 9007199254740992 must be",
  ],
  [
    "a snapshot message without one",
    withMessage({ type: MessageType.SNAPSHOT, term: 1n }),
    "MsgSnap is without its snapshot",
  ],
  [
    "a snapshot where none belongs",
    withMessage({ type: MessageType.VOTE, term: 1n, snapshot: {} }),
    "MsgVote has a snapshot",
  ],
  [
    "a snapshot without metadata",
    withMessage({ type: MessageType.SNAPSHOT, term: 1n, snapshot: {} }),
    "snapshot is without its metadata",
  ],
  ["an entry of no type", appended({ type: EntryType.UNSPECIFIED }), "entry type 0 is not known"],
  ["an entry that does not follow", appended({ index: 6n }), "entry index 6 must be 5"],
  ["a gap between entries", appended({}, { index: 7n }), "entry index 7 must be 6"],
  ["a term that goes back", appended({}, { index: 6n, term: 1n }), "term 1 of entry 6 must be >= 2"],
  [
    "a hibernate step from the future",
    { ...valid, payload: { case: "hibernate", value: { step: 9, term: 1n } } },
    "hibernate step 9 is not known",
  ],
])("SPEC-M2: a message with %s is refused as malformed", (_name, init, problem) => {
  const decoded = decodePeerMessage(wireMessage(init));
  expect(decoded).toMatchObject({ ok: false, refusal: { reason: "Malformed" } });
  expect(decoded.ok ? "" : decoded.problem).toContain(problem);
});

test("SPEC-M2: any bytes that are a proto message are decoded or refused, never thrown at", () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const anyPeer = fc.option(fc.record({ id: u64, storeId: u64, role: fc.nat(6) }), { nil: undefined });
  const anyMessage = fc.record({
    type: fc.nat(16),
    term: u64,
    index: u64,
    commit: u64,
    entries: fc.array(fc.record({ type: fc.nat(5), term: u64, index: u64 }), { maxLength: 2 }),
  });
  fc.assert(
    fc.property(u64, anyPeer, anyPeer, anyMessage, (region, fromPeer, toPeer, value) => {
      const init = { regionId: region, fromPeer, toPeer, epoch: {}, payload: { case: "message", value } };
      const decoded = decodePeerMessage(wireMessage(init));
      expect(decoded.ok || decoded.refusal.reason === "Malformed").toBe(true);
    }),
  );
});

test("refusals go back and forth; a reason from the future is no refusal", () => {
  const reasons: Reason[] = ["RegionNotFound", "StoreNotMatch", "ClusterMismatch", "Busy", "Malformed"];
  for (const reason of reasons) {
    const refusal = { regionId: regionId(4), toPeerId: 5, reason };
    expect(decodeRefusal(encodeRefusal(refusal))).toEqual(refusal);
  }
  const future = {
    ...encodeRefusal({ regionId: regionId(4), toPeerId: 5, reason: "Busy" }),
    reason: 99 as RefusalReason,
  };
  expect(decodeRefusal(future)).toBeUndefined();
});

test("a message of the core's local types, or with another sender than its envelope, is a fault of ours", () => {
  const heartbeat: Message = {
    type: "MsgHeartbeat",
    to: peerId(2),
    from: peerId(1),
    term: term(3),
    logTerm: 0,
    index: 0,
    entries: [],
    commit: 0,
    vote: 0,
    snapshot: undefined,
    reject: false,
    rejectHint: 0,
    context: undefined,
    responses: [],
  };
  const envelope = (message: Message): PeerMessage => ({
    regionId: regionId(1),
    fromPeer: { id: peerId(1), storeId: storeId(1), role: "Voter" },
    toPeer: { id: peerId(2), storeId: storeId(2), role: "Voter" },
    epoch: { confVer: 1, version: 1 },
    range: undefined,
    payload: { kind: "raft", message },
  });
  expect(() => encodePeerMessage(envelope(heartbeat))).not.toThrow();
  expect(() => encodePeerMessage(envelope({ ...heartbeat, type: "MsgBeat" }))).toThrow("local ones");
  expect(() => encodePeerMessage(envelope({ ...heartbeat, from: 7 as PeerId }))).toThrow("envelope");
});
