import { index, peerId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { encodeConfChange } from "./conf-change/codec.ts";
import type { Entry, Message } from "./messages.ts";
import { type MessageFields, newMessage } from "./new-message.ts";
import { group, ids, InstantPeer } from "./testing/instant-peer.ts";

/** A request for a vote of a candidate whose log is as good as any. */
function voteRequest(fields: Partial<MessageFields> & Pick<MessageFields, "type" | "term">): Message {
  return newMessage({ from: peerId(3), logTerm: term(9), index: index(9), ...fields });
}

describe("a request for a vote", () => {
  it("of a term whose leader is known is refused, though no vote was cast in it", () => {
    const peer = new InstantPeer(1);
    peer.node.step(newMessage({ type: "MsgHeartbeat", from: peerId(2), term: term(5) }));
    peer.work();
    expect(peer.node).toMatchObject({ term: 5, vote: 0, lead: 2 });
    peer.node.step(voteRequest({ type: "MsgVote", term: term(5) }));
    expect(peer.work()).toMatchObject([{ type: "MsgVoteResp", reject: true }]);
  });

  it("that is granted starts the election timeout anew, and a pre-vote does not", () => {
    const peer = new InstantPeer(1);
    peer.node.setRandomizedElectionTimeout(10);
    const tick = (times: number): void => {
      for (let count = 0; count < times; count++) {
        peer.node.tick();
      }
    };
    peer.node.step(voteRequest({ type: "MsgVote", term: term(5) }));
    peer.node.setRandomizedElectionTimeout(10);
    tick(9);
    // The same vote again, in the same term: nothing else sets the timeout back.
    peer.node.step(voteRequest({ type: "MsgVote", term: term(5) }));
    tick(9);
    expect(peer.node).toMatchObject({ role: "Follower", vote: 3 });
    peer.node.step(voteRequest({ type: "MsgPreVote", term: term(6) }));
    tick(1);
    expect(peer.node.role).toBe("Candidate");
  });
});

describe("an election timeout", () => {
  it.each(["MsgApp", "MsgHeartbeat", "MsgSnap"] as const)(
    "starts anew with each %s of the leader",
    (type) => {
      const [leader, follower] = group();
      for (let round = 0; round < 3; round++) {
        for (let ticks = 0; ticks < 9; ticks++) {
          follower.node.tick();
        }
        follower.node.step(newMessage({ type, from: peerId(1), term: leader.node.term }));
      }
      expect(follower.node.role).toBe("Follower");
      for (let ticks = 0; ticks < 20; ticks++) {
        follower.node.tick();
      }
      expect(follower.node.role).toBe("Candidate");
    },
  );
});

describe("a campaign", () => {
  it("is not started while a committed conf change is not applied", () => {
    const peer = new InstantPeer(1);
    const at = { index: index(2), term: term(1) };
    peer.node.step(
      newMessage({
        type: "MsgApp",
        from: peerId(2),
        term: term(1),
        logTerm: term(1),
        index: index(1),
        commit: index(2),
        entries: [{ ...at, type: "ConfChangeV2", data: new Uint8Array(0) }],
      }),
    );
    peer.node.campaign();
    expect(peer.node.role).toBe("Follower");
  });

  it("is not started on a guess, while storage fetches what is committed and not applied", () => {
    const peers = group();
    const [, follower] = peers;
    const storage = follower.storage;
    storage.setHardState({ term: term(1), vote: 0, commit: index(2) });
    const restarted = new InstantPeer(2, { storage });
    storage.entries = () => "temporarily-unavailable";
    restarted.node.campaign();
    expect(restarted.node.role).toBe("Follower");
  });
});

describe.each([
  ["pre-vote", { preVote: true }],
  ["check-quorum", { checkQuorum: true }],
])("with %s", (_name, options) => {
  it.each(["MsgApp", "MsgHeartbeat"] as const)(
    "a leader of an earlier term learns of the later one by the answer to its %s",
    (type) => {
      const peer = new InstantPeer(1, options);
      peer.node.step(newMessage({ type: "MsgHeartbeat", from: peerId(2), term: term(5) }));
      peer.work();
      peer.node.step(newMessage({ type, from: peerId(3), term: term(4) }));
      expect(peer.work()).toMatchObject([{ type: "MsgAppResp", to: 3, term: 5, index: 0 }]);
    },
  );
});

describe("a vote that is refused", () => {
  /** A voter that has left a joint configuration, in which it is now alone, but does not know that that is committed. */
  function lastVoter(): InstantPeer {
    const peer = new InstantPeer(3);
    const joint = encodeConfChange({
      version: 2,
      transition: "JointExplicit",
      changes: ids(1, 2).map((nodeId) => ({ type: "RemoveNode", nodeId })),
      context: new Uint8Array(0),
    });
    const entry = (at: number, data: Uint8Array): Entry => ({
      index: index(at),
      term: term(1),
      type: "ConfChangeV2",
      data,
    });
    peer.node.step(
      newMessage({
        type: "MsgApp",
        from: peerId(1),
        term: term(1),
        logTerm: term(1),
        index: index(1),
        commit: index(2),
        entries: [entry(2, joint), entry(3, new Uint8Array(0))],
      }),
    );
    peer.work();
    peer.node.campaign();
    peer.work();
    return peer;
  }
  const refusal = (fields: Partial<MessageFields>): Message =>
    newMessage({ type: "MsgVoteResp", from: peerId(1), term: term(2), reject: true, ...fields });

  it("tells what is committed, so that the last voter of a joint configuration learns that it may lead", () => {
    const peer = lastVoter();
    expect(peer.node).toMatchObject({ role: "Candidate", commitIndex: 2 });
    peer.node.step(refusal({ commit: index(3), logTerm: term(1) }));
    expect(peer.node).toMatchObject({ role: "Follower", commitIndex: 3 });
    peer.work();
    expect(peer.node.confState).toMatchObject({ voters: [3], votersOutgoing: [] });
    peer.node.campaign();
    peer.work();
    expect(peer.node.role).toBe("Leader");
  });

  it.each([
    { name: "of another term", commit: 3, logTerm: 2 },
    { name: "that it lacks", commit: 4, logTerm: 1 },
  ])("commits no entry $name", ({ commit, logTerm }) => {
    const peer = lastVoter();
    peer.node.step(refusal({ commit: index(commit), logTerm: term(logTerm) }));
    expect(peer.node.commitIndex).toBe(2);
  });

  it("comes with the commit index, unless it is to be as etcd has it", () => {
    for (const commitByRefusal of [true, false]) {
      const peer = new InstantPeer(1, { commitByRefusal });
      peer.node.step(voteRequest({ type: "MsgVote", term: term(5), index: index(0), logTerm: term(0) }));
      const commit = commitByRefusal ? 1 : 0;
      expect(peer.work()).toMatchObject([{ type: "MsgVoteResp", reject: true, commit, logTerm: commit }]);
    }
  });
});
