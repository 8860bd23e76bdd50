import { peerId, term } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import type { PeerMessage } from "../store/peer-message.ts";
import { appendMessage, raftMessage } from "../testing/peer-messages.ts";
import { type UrgentItem, UrgentSlots, isUrgent } from "./urgent-slots.ts";

const heartbeat = (atTerm: number, region = 1): PeerMessage =>
  raftMessage(1, 2, { type: "MsgHeartbeat", term: term(atTerm) }, region);

test("a newer heartbeat takes the place of one that waits", () => {
  const slots = new UrgentSlots();
  const item = slots.offer(heartbeat(5)) as UrgentItem;
  const newer = heartbeat(6);
  expect(slots.offer(newer)).toBeUndefined();
  expect(item.message).toBe(newer);
});

test("other Regions, peers and kinds have places of their own", () => {
  const slots = new UrgentSlots();
  const messages = [
    heartbeat(5),
    heartbeat(5, 2),
    raftMessage(1, 3, { type: "MsgHeartbeat" }),
    raftMessage(1, 2, { type: "MsgVote" }),
    { ...heartbeat(5), payload: { kind: "hibernate", step: "Ask", term: 5, commit: 1 } } as PeerMessage,
    { ...heartbeat(5), payload: { kind: "tombstone", epoch: { confVer: 1, version: 1 } } } as PeerMessage,
  ];
  expect(messages.map((message) => slots.offer(message)?.message)).toEqual(messages);
});

test("every ReadIndex is kept: each carries a request of its own", () => {
  const slots = new UrgentSlots();
  const read = raftMessage(1, 2, { type: "MsgReadIndex", term: 0, to: peerId(20) });
  expect(slots.offer(read)).toBeDefined();
  expect(slots.offer(read)).toBeDefined();
});

test("once an item is sent, or the queue is lost, the next of its kind is queued anew", () => {
  const slots = new UrgentSlots();
  slots.release(slots.offer(heartbeat(5)) as UrgentItem);
  expect(slots.offer(heartbeat(6))).toBeDefined();
  slots.clear();
  expect(slots.offer(heartbeat(7))).toBeDefined();
});

test("appends and their answers are not urgent", () => {
  expect(isUrgent(appendMessage(1, 2, 0, new Uint8Array(1)))).toBe(false);
  expect(isUrgent(raftMessage(1, 2, { type: "MsgAppResp" }))).toBe(false);
  expect(isUrgent(heartbeat(1))).toBe(true);
});
