import { peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { ConfChange } from "./conf-change/conf-change.ts";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import { newMessage } from "./new-message.ts";
import { group, ids, InstantPeer, settle } from "./testing/instant-peer.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const dataOf = (peer: InstantPeer): string[] =>
  peer.applied.map((entry) => new TextDecoder().decode(entry.data)).filter((text) => text !== "");

describe.each([
  ["waits for each Ready", {}],
  ["has storage threads", { asyncStorageWrites: true }],
] as const)("a group whose driver %s", (_name, overrides) => {
  it("SPEC-R1: elects a leader and replicates its proposals to every peer", () => {
    const peers = group(overrides);
    expect(peers.map((peer) => peer.node.role)).toEqual(["Leader", "Follower", "Follower"]);
    expect(peers[0].node.proposeBatch([utf8("a"), utf8("b")])).toBe("ok");
    expect(peers[1].node.propose(utf8("c"))).toBe("ok");
    settle(peers);
    for (const peer of peers) {
      expect(dataOf(peer)).toEqual(["a", "b", "c"]);
      expect(peer.node.commitIndex).toBe(5);
      expect(peer.node.appliedIndex).toBe(5);
      expect(peer.storage.lastIndex()).toBe(5);
    }
  });

  it("confirms a read with a quorum, once for each context", () => {
    const [leader, follower, last] = group(overrides);
    const readStates: string[] = [];
    for (const peer of [leader, follower]) {
      peer.node.readIndex(utf8(`read of ${peer.node.id}`));
    }
    for (let round = 0; round < 4; round++) {
      for (const peer of [leader, follower, last]) {
        while (peer.node.hasReady()) {
          const ready = peer.node.ready();
          readStates.push(...ready.readStates.map((read) => new TextDecoder().decode(read.requestContext)));
          for (const message of ready.messages) {
            [leader, follower, last].find((other) => other.node.id === message.to)?.node.step(message);
          }
          if (!overrides || !("asyncStorageWrites" in overrides)) {
            peer.node.advance();
          }
        }
      }
    }
    expect(readStates.sort()).toEqual(["read of 1", "read of 2"]);
  });

  it("hands leadership over", () => {
    const peers = group(overrides);
    peers[0].node.transferLeader(peerId(3));
    settle(peers);
    expect(peers.map((peer) => peer.node.role)).toEqual(["Follower", "Follower", "Leader"]);
    expect(peers[0].node.lead).toBe(3);
  });

  it("changes its configuration through a joint one, and leaves that by itself", () => {
    const peers = group(overrides);
    const changes = [
      { type: "RemoveNode", nodeId: peerId(2) },
      { type: "AddLearnerNode", nodeId: peerId(3) },
    ] as const;
    peers[0].node.proposeConfChange({ version: 2, transition: "Auto", changes, context: new Uint8Array(0) });
    settle(peers);
    expect(peers[0].node.confState).toEqual({ ...EMPTY_CONF_STATE, voters: [1], learners: [3] });
    expect(peers[2].node.confState).toEqual(peers[0].node.confState);
  });
});

describe("conf changes", () => {
  const none = new Uint8Array(0);

  it("are simulated without being made", () => {
    const [leader] = group();
    const remove = (...nodeIds: number[]): ConfChange => ({
      version: 2,
      transition: "Auto",
      changes: ids(...nodeIds).map((nodeId) => ({ type: "RemoveNode", nodeId })),
      context: none,
    });
    expect(leader.node.simulateConfChange(remove(3))).toEqual({
      ok: true,
      confState: { ...EMPTY_CONF_STATE, voters: [1, 2] },
    });
    expect(leader.node.simulateConfChange(remove(1, 2, 3))).toEqual({
      ok: false,
      reason: "removed all voters",
    });
    expect(leader.node.confState.voters).toEqual([1, 2, 3]);
  });

  it("are replaced by an empty entry while another one is not applied", () => {
    const [leader] = group();
    const change = { version: 1, type: "AddLearnerNode", nodeId: peerId(4), context: none } as const;
    const last = leader.node.lastIndex;
    expect(leader.node.proposeConfChange(change)).toBe("ok");
    expect(leader.node.pendingConfIndex).toBe(last + 1);
    expect(leader.node.proposeConfChange(change)).toBe("ok");
    expect(leader.node.ready().entries.map((entry) => entry.type)).toEqual(["ConfChange", "Normal"]);
  });
});

describe("step", () => {
  it("refuses messages that only the peer itself may send", () => {
    const [leader] = group();
    expect(leader.node.step(newMessage({ type: "MsgHup", from: peerId(2) }))).toBe("local-message");
  });

  it("refuses responses of peers that are not in the configuration", () => {
    const [leader] = group();
    const response = newMessage({ type: "MsgAppResp", from: peerId(9), term: leader.node.term });
    expect(leader.node.step(response)).toBe("peer-not-found");
  });

  it("drops a proposal where there is no leader", () => {
    expect(new InstantPeer(1).node.propose(utf8("a"))).toBe("proposal-dropped");
  });
});
