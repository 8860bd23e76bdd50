import { index, peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { RaftConfig } from "./config.ts";
import { newMessage } from "./new-message.ts";
import { group, InstantPeer, settle } from "./testing/instant-peer.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("storage that is fetching", () => {
  it("entries delays what is sent to a follower, and nothing else", () => {
    const [leader, , behind] = group();
    leader.node.propose(utf8("a"));
    const messages = leader.work().filter((message) => message.to !== 3);
    expect(messages).toHaveLength(1);
    leader.node.reportUnreachable(peerId(3));
    const read = leader.storage.entries.bind(leader.storage);
    leader.storage.entries = () => "temporarily-unavailable";
    const response = newMessage({ type: "MsgHeartbeatResp", from: peerId(3), term: leader.node.term });
    leader.node.step(response);
    expect(leader.work()).toEqual([]);
    expect(leader.node.progressOf(behind.node.id)).toMatchObject({ state: "StateProbe", match: 2 });
    leader.storage.entries = read;
    leader.node.step(response);
    expect(leader.work()).toMatchObject([{ type: "MsgApp", to: 3, entries: [{ index: 3 }] }]);
  });

  it("a snapshot is asked for it again at the next occasion", () => {
    const [leader] = group();
    leader.node.propose(utf8("a"));
    leader.work();
    leader.node.reportUnreachable(peerId(3));
    leader.storage.compact(index(3));
    const metadata = { confState: leader.node.confState, index: index(3), term: leader.node.term };
    const response = newMessage({ type: "MsgHeartbeatResp", from: peerId(3), term: leader.node.term });
    leader.storage.snapshot = () => "temporarily-unavailable";
    leader.node.step(response);
    expect(leader.work()).toEqual([]);
    leader.storage.snapshot = () => ({ metadata, data: new Uint8Array(0) });
    leader.node.step(response);
    expect(leader.work()).toMatchObject([{ type: "MsgSnap", to: 3, snapshot: { metadata: { index: 3 } } }]);
    expect(leader.node.progressOf(peerId(3))).toMatchObject({ state: "StateSnapshot", pendingSnapshot: 3 });
    leader.node.reportSnapshot(peerId(3), "failure");
    expect(leader.node.progressOf(peerId(3))).toMatchObject({ state: "StateProbe", next: 3 });
  });
});

describe("limits", () => {
  it("of uncommitted bytes drop proposals until some are applied", () => {
    const peers = group({ maxUncommittedEntriesSizeBytes: 10 });
    const [leader] = peers;
    expect(leader.node.propose(new Uint8Array(20))).toBe("ok");
    expect(leader.node.propose(new Uint8Array(1))).toBe("proposal-dropped");
    expect(leader.node.propose(new Uint8Array(0))).toBe("ok");
    settle(peers);
    expect(leader.node.propose(new Uint8Array(10))).toBe("ok");
  });

  it("of a message's bytes split what is sent, and the window bounds how much", () => {
    const peers = group({
      maxSizePerMessageBytes: 0,
      maxCommittedSizePerReadyBytes: 100,
      maxInflightMessages: 2,
    });
    const [leader] = peers;
    leader.node.proposeBatch([utf8("a"), utf8("b"), utf8("c")]);
    const sent = leader.work().filter((message) => message.to === 2);
    expect(sent.map((message) => message.entries.map((entry) => entry.index))).toEqual([[3]]);
    for (const message of sent) {
      peers[1].node.step(message);
    }
    settle(peers);
    expect(peers[1].storage.lastIndex()).toBe(5);
  });

  it.each<[string, Partial<RaftConfig>]>([
    ["electionTicks", { electionTicks: 1 }],
    ["heartbeatTicks", { heartbeatTicks: 0 }],
    ["maxInflightMessages", { maxInflightMessages: 0 }],
    ["maxInflightBytes", { maxInflightBytes: 5, maxSizePerMessageBytes: 6 }],
    ["maxCommittedSizePerReadyBytes", { maxCommittedSizePerReadyBytes: 0 }],
    ["checkQuorum", { readOnlyOption: "LeaseBased" }],
  ])("that make no sense are refused: %s", (name, overrides) => {
    expect(() => new InstantPeer(1, overrides)).toThrow(name);
  });
});
