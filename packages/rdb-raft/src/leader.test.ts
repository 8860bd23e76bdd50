import { peerId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { type ConfChangeSingle, type ConfChangeTransition, LOCAL_APPLY_THREAD } from "./messages.ts";
import type { ConfChange } from "./conf-change/conf-change.ts";
import { newMessage } from "./new-message.ts";
import { group, InstantPeer, settle } from "./testing/instant-peer.ts";

const none = new Uint8Array(0);
const change = (transition: ConfChangeTransition, ...changes: readonly ConfChangeSingle[]): ConfChange => ({
  version: 2,
  transition,
  changes,
  context: none,
});

describe("a leadership transfer", () => {
  it("has a whole election timeout, whenever in one it starts", () => {
    const [leader] = group();
    for (let ticks = 0; ticks < 9; ticks++) {
      leader.node.tick();
    }
    leader.node.transferLeader(peerId(2));
    for (let ticks = 0; ticks < 9; ticks++) {
      leader.node.tick();
    }
    expect(leader.node.leadTransferee).toBe(2);
    leader.node.tick();
    expect(leader.node.leadTransferee).toBe(0);
  });

  it("SCENARIO-26: ends when its target is no voter any more", () => {
    const [leader, follower] = group();
    leader.node.proposeConfChange(change("Auto", { type: "RemoveNode", nodeId: peerId(3) }));
    leader.node.transferLeader(peerId(3));
    expect(leader.node.leadTransferee).toBe(3);
    settle([leader, follower]);
    expect(leader.node.confState.voters).toEqual([1, 2]);
    expect(leader.node.leadTransferee).toBe(0);
  });
});

describe("a conf change", () => {
  it("that the configuration in force does not allow becomes an empty entry", () => {
    const peers = group();
    const [leader, follower] = peers;
    const removals = [1, 2, 3].map((id) => ({ type: "RemoveNode", nodeId: peerId(id) }) as const);
    leader.node.proposeConfChange(change("Auto", ...removals));
    follower.node.proposeConfChange(change("JointExplicit", ...removals));
    settle(peers);
    for (const peer of peers) {
      expect(peer.node.confState.voters).toEqual([1, 2, 3]);
      expect(peer.applied.slice(-2).map((entry) => entry.type)).toEqual(["Normal", "Normal"]);
    }
  });
});

describe("a joint configuration that is left by itself", () => {
  it("is left once, though entries before that are applied later", () => {
    const [leader] = group({ asyncStorageWrites: true });
    const { node, storage } = leader;
    const last = node.lastIndex;
    node.proposeConfChange(change("JointImplicit", { type: "AddLearnerNode", nodeId: peerId(4) }));
    node.propose(none);
    for (const message of leader.work()) {
      if (message.to === 2 && message.type === "MsgApp") {
        const index = (message.index + message.entries.length) as typeof last;
        node.step(newMessage({ type: "MsgAppResp", from: peerId(2), term: node.term, index }));
      }
    }
    const [apply] = node.ready().messages.filter((message) => message.to === LOCAL_APPLY_THREAD);
    const [joint, normal] = apply?.entries ?? [];
    expect([joint?.type, normal?.type]).toEqual(["ConfChangeV2", "Normal"]);
    node.applyConfChange(change("JointImplicit", { type: "AddLearnerNode", nodeId: peerId(4) }));
    for (const entry of [joint, normal]) {
      const entries = entry === undefined ? [] : [entry];
      node.step(newMessage({ type: "MsgStorageApplyResp", from: LOCAL_APPLY_THREAD, entries }));
    }
    expect(node.lastIndex).toBe(last + 3);
    expect(storage.lastIndex()).toBe(last + 2);
  });
});

describe("a read", () => {
  it("of a lone voter waits for its own term's commit, which covers what it committed before a crash", () => {
    const peer = new InstantPeer(1);
    for (const nodeId of [2, 3].map(peerId)) {
      peer.node.applyConfChange(change("Auto", { type: "RemoveNode", nodeId }));
    }
    peer.node.step(newMessage({ type: "MsgHeartbeat", from: peerId(2), term: term(5) }));
    peer.work();
    peer.node.campaign();
    const election = peer.node.ready();
    peer.node.advance();
    expect([peer.node.isLeader, peer.node.commitIndex]).toEqual([true, 1]);
    peer.node.readIndex(Uint8Array.of(1));
    const append = peer.node.ready();
    expect([...election.readStates, ...append.readStates]).toEqual([]);
    peer.storage.append(append.entries);
    peer.node.advance();
    expect(peer.node.ready().readStates).toMatchObject([{ index: 2 }]);
  });

  it("is lost with the leadership, and not answered by what confirms a later one", () => {
    const peers = group();
    const [leader] = peers;
    leader.node.readIndex(Uint8Array.of(1));
    leader.work();
    leader.node.step(newMessage({ type: "MsgHeartbeat", from: peerId(2), term: term(leader.node.term + 1) }));
    leader.work();
    leader.node.campaign();
    settle(peers);
    expect(leader.node.isLeader).toBe(true);
    leader.node.readIndex(Uint8Array.of(2));
    const [heartbeat] = leader.work();
    const { context } = heartbeat ?? {};
    leader.node.step(
      newMessage({ type: "MsgHeartbeatResp", from: peerId(2), term: leader.node.term, context }),
    );
    expect(leader.node.ready().readStates.map((read) => [...read.requestContext])).toEqual([[2]]);
  });
});
