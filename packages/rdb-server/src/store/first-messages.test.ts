import { expect, test } from "vitest";
import { peerId, regionId } from "@flaredb/rdb-base";
import { raftMessage } from "../testing/peer-messages.ts";
import { FirstMessages } from "./first-messages.ts";

test("the last message of a Region is kept, once, for the peer that it is for", () => {
  const messages = new FirstMessages();
  messages.keep(raftMessage(1, 2, { type: "MsgVote", term: 6 as never }, 7));
  messages.keep(raftMessage(3, 2, { type: "MsgVote", term: 7 as never }, 7));
  expect(messages.take(regionId(7), peerId(20))).toMatchObject({ fromPeer: { id: 30 } });
  expect(messages.take(regionId(7), peerId(20))).toBeUndefined();
  messages.keep(raftMessage(1, 2, { type: "MsgVote" }, 7));
  expect(messages.take(regionId(7), peerId(21))).toBeUndefined();
});

test("past 1,024 Regions the one that came first is forgotten", () => {
  const messages = new FirstMessages();
  for (let region = 1; region <= 1_024; region++) {
    messages.keep(raftMessage(1, 2, {}, region));
  }
  messages.keep(raftMessage(1, 2, {}, 1));
  messages.keep(raftMessage(1, 2, {}, 2_000));
  expect(messages.take(regionId(2), peerId(20))).toBeUndefined();
  expect(messages.take(regionId(1), peerId(20))).toBeDefined();
  expect(messages.take(regionId(2_000), peerId(20))).toBeDefined();
});
