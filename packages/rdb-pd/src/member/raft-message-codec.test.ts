import { type MessageInitShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { index, peerId, term } from "@flaredb/rdb-base";
import { EntrySchema, EntryType, MessageSchema, MessageType } from "@flaredb/rdb-proto";
import { EMPTY_CONF_STATE, type Message, newMessage } from "@flaredb/rdb-raft";
import { expect, test } from "vitest";
import { raftMessageFromProto, raftMessageToProto } from "./raft-message-codec.ts";
import { SnapshotParts, cutSnapshot } from "./snapshot-parts.ts";

const ends = { from: peerId(1), to: peerId(2) };
const NO_DATA = new Uint8Array(0);
const entry = { term: term(3), index: index(8), type: "Normal", data: Uint8Array.of(1) } as const;
const confState = { ...EMPTY_CONF_STATE, voters: [peerId(1)], learners: [peerId(2)] };

test.each<Message>([
  newMessage({
    ...{ type: "MsgApp", ...ends, term: term(3), logTerm: term(2), index: index(7), commit: index(6) },
    entries: [entry, { ...entry, index: index(9), type: "ConfChangeV2" }],
  }),
  newMessage({
    type: "MsgAppResp",
    ...ends,
    term: term(3),
    index: index(7),
    reject: true,
    rejectHint: index(5),
  }),
  newMessage({ type: "MsgPreVote", ...ends, term: term(3), context: Uint8Array.of(7) }),
  newMessage({
    ...{ type: "MsgSnap", ...ends, term: term(3) },
    snapshot: { data: Uint8Array.of(1, 2, 3), metadata: { index: index(7), term: term(3), confState } },
  }),
])("$type survives the way", (message) => {
  const wire = raftMessageToProto(message);
  const bytes = toBinary(MessageSchema, wire ?? create(MessageSchema));
  const data = message.snapshot?.data ?? NO_DATA;
  expect(raftMessageFromProto(fromBinary(MessageSchema, bytes), ends, data)).toEqual(message);
});

test("what is local to a member does not travel", () => {
  expect(raftMessageToProto(newMessage({ type: "MsgHup" }))).toBeUndefined();
});

const { APPEND, SNAPSHOT, HEARTBEAT, UNSPECIFIED } = MessageType;
const wireEntry = create(EntrySchema, { type: EntryType.NORMAL, term: 3n, index: 8n });

const malformed: readonly (readonly [string, MessageInitShape<typeof MessageSchema>])[] = [
  ["an unknown type", { type: UNSPECIFIED, term: 1n }],
  ["no term", { type: HEARTBEAT }],
  ["a snapshot without one", { type: SNAPSHOT, term: 1n }],
  ["a snapshot without metadata", { type: SNAPSHOT, term: 1n, snapshot: {} }],
  ["entries with a gap", { type: APPEND, term: 3n, index: 6n, entries: [wireEntry] }],
  [
    "entries whose terms fall",
    { type: APPEND, term: 3n, index: 7n, entries: [wireEntry, { ...wireEntry, term: 2n, index: 9n }] },
  ],
  [
    "an entry of an unknown type",
    { type: APPEND, term: 3n, index: 7n, entries: [{ ...wireEntry, type: EntryType.UNSPECIFIED }] },
  ],
  ["a number past 2^53", { type: HEARTBEAT, term: 2n ** 60n }],
];

test.each(malformed)("malformed: %s", (_, fields) => {
  expect(() => raftMessageFromProto(create(MessageSchema, fields), ends, NO_DATA)).toThrow(
    "malformed message of another PD member",
  );
});

test("a snapshot is cut into parts, and whole again", () => {
  const data = Uint8Array.from({ length: 2_500_000 }, (_, at) => at % 251);
  const parts = new SnapshotParts();
  const cut = cutSnapshot(data);
  expect(cut.length).toBe(3);
  cut.forEach((part) => parts.add(part));
  expect(Buffer.compare(parts.take(), data)).toBe(0);
  expect(parts.take().length).toBe(0);
});
