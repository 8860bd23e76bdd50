import { type RdbError, index, peerId, term } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import type { Message } from "./messages.ts";
import { newMessage } from "./new-message.ts";
import { group, settle } from "./testing/instant-peer.ts";

const from = peerId(2);
const data = new Uint8Array(1);
const confState = {
  voters: [1, 2, 3].map(peerId),
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/** A group of three whose first peer leads in term 1, all of whom have the same log. */
function settled() {
  const peers = group();
  peers[0].node.propose(data);
  settle(peers);
  return peers;
}

function snapshotOf(metadata: Partial<NonNullable<Message["snapshot"]>["metadata"]>): Message {
  const snapshot = { data, metadata: { confState, index: index(50), term: term(1), ...metadata } };
  return newMessage({ type: "MsgSnap", from: peerId(1), term: term(1), snapshot });
}

test("a leader passes over what no follower can say", () => {
  const [leader] = settled();
  const now = leader.node.term;
  const before = leader.node.status();
  const beyond = index(leader.node.lastIndex + 1);
  expect(leader.node.step(newMessage({ type: "MsgAppResp", from, term: now, index: beyond }))).toBe(
    "implausible",
  );
  const leap = term(now + 2 ** 32 + 1);
  expect(leader.node.step(newMessage({ type: "MsgHeartbeat", from, term: leap }))).toBe("implausible");
  expect(leader.node.status()).toEqual(before);
  expect(
    leader.node.step(newMessage({ type: "MsgAppResp", from, term: now, index: leader.node.lastIndex })),
  ).toBe("ok");
});

test("a follower passes over what no leader can say", () => {
  const [leader, follower] = settled();
  const before = follower.node.status();
  const last = follower.node.lastIndex;
  const entry = { type: "Normal", term: term(9), index: index(last + 1), data } as const;
  const append = { type: "MsgApp", from: leader.node.id, term: leader.node.term } as const;
  const lies = [
    newMessage({ ...append, index: last, logTerm: leader.node.term, entries: [entry] }),
    snapshotOf({ term: term(9) }),
    snapshotOf({ index: index(Number.MAX_SAFE_INTEGER) }),
  ];
  for (const lie of lies) {
    expect(follower.node.step(lie)).toBe("implausible");
  }
  expect(follower.node.status()).toEqual(before);
});

test("a follower must not go on when its leader contradicts what it has acknowledged", () => {
  const [leader, follower] = settled();
  const { id, term: now } = leader.node;
  const corrupt = expect.objectContaining({ code: "RDB_DATA_CORRUPT" } satisfies Partial<RdbError>) as Error;
  const beyond = index(follower.node.lastIndex + 1);
  expect(() =>
    follower.node.step(newMessage({ type: "MsgHeartbeat", from: id, term: now, commit: beyond })),
  ).toThrow(corrupt);
});

test("what a follower forwarded is not sent on by another one", () => {
  const [, follower] = settled();
  const request = newMessage({ type: "MsgReadIndex", from: peerId(3), context: data });
  expect(follower.node.step(request)).toBe("not-leader");
  expect(follower.node.hasReady()).toBe(false);
  follower.node.readIndex(data);
  expect(follower.node.hasReady()).toBe(true);
});
