import { index, peerId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import type { Snapshot } from "./messages.ts";
import { type MessageFields, newMessage } from "./new-message.ts";
import { group, ids, InstantPeer, settle } from "./testing/instant-peer.ts";

const follower = peerId(3);

/** A leader that has compacted its log up to 6, and whose third peer has acknowledged 2. */
function leaderPastTheLog(): InstantPeer {
  const peers = group();
  const [leader, second] = peers;
  for (let count = 0; count < 4; count++) {
    leader.node.propose(new Uint8Array(1));
  }
  settle([leader, second]);
  leader.node.reportUnreachable(follower);
  leader.storage.createSnapshot(index(6), leader.node.confState, new Uint8Array(0));
  leader.storage.compact(index(6));
  return leader;
}

const step = (leader: InstantPeer, fields: MessageFields): void => {
  leader.node.step(newMessage({ from: follower, term: leader.node.term, ...fields }));
};

describe("a leader", () => {
  it("sends a snapshot to a follower that its log no longer serves, once it has heard of it", () => {
    const leader = leaderPastTheLog();
    leader.node.resetRecentActive();
    leader.node.propose(new Uint8Array(1));
    expect(leader.work().filter((message) => message.to === follower)).toEqual([]);
    step(leader, { type: "MsgHeartbeatResp" });
    expect(leader.work()).toMatchObject([{ type: "MsgSnap", snapshot: { metadata: { index: 6 } } }]);
  });

  it("waits on while the follower's answer is not in reach of the log, and goes on when it is", () => {
    const leader = leaderPastTheLog();
    step(leader, { type: "MsgHeartbeatResp" });
    leader.work();
    step(leader, { type: "MsgAppResp", index: index(4) });
    expect(leader.node.progressOf(follower)).toMatchObject({ state: "StateSnapshot", match: 4 });
    expect(leader.work()).toEqual([]);
    step(leader, { type: "MsgAppResp", index: index(6) });
    expect(leader.node.progressOf(follower)).toMatchObject({ state: "StateReplicate", match: 6 });
  });

  it.each([
    { status: "finish", next: 7 },
    { status: "failure", next: 3 },
  ] as const)("told of a $status waits for the follower, then probes from $next", ({ status, next }) => {
    const leader = leaderPastTheLog();
    step(leader, { type: "MsgHeartbeatResp" });
    leader.work();
    leader.node.reportSnapshot(follower, status);
    expect(leader.node.progressOf(follower)).toMatchObject({ state: "StateProbe", next });
    leader.node.propose(new Uint8Array(1));
    expect(leader.work().filter((message) => message.to === follower)).toEqual([]);
  });
});

describe("a follower", () => {
  const snapshotOf = (...voters: number[]): Snapshot => ({
    metadata: {
      confState: { ...EMPTY_CONF_STATE, voters: ids(...voters) },
      index: index(9),
      term: term(2),
    },
    data: new Uint8Array(0),
  });
  const deliver = (peer: InstantPeer, snapshot: Snapshot | undefined): void => {
    peer.node.step(newMessage({ type: "MsgSnap", from: peerId(2), term: term(2), snapshot }));
  };

  it("starts anew from a snapshot, and may campaign only once that is installed", () => {
    const peer = new InstantPeer(1);
    deliver(peer, snapshotOf(1, 2, 3, 4));
    peer.node.campaign();
    expect(peer.node).toMatchObject({ role: "Follower", commitIndex: 9, lastIndex: 9 });
    expect(peer.work()).toMatchObject([{ type: "MsgAppResp", to: 2, index: 9 }]);
    expect(peer.node.appliedIndex).toBe(9);
    expect(peer.node.confState.voters).toEqual([1, 2, 3, 4]);
  });

  it("refuses a snapshot whose configuration it is not in, or one that is not there", () => {
    const peer = new InstantPeer(1);
    for (const snapshot of [snapshotOf(2, 3), undefined]) {
      deliver(peer, snapshot);
      expect(peer.work()).toMatchObject([{ type: "MsgAppResp", index: 1, reject: false }]);
      expect(peer.node.lastIndex).toBe(1);
    }
  });
});
