import { term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { newMessage } from "./new-message.ts";
import { group } from "./testing/instant-peer.ts";

describe("hibernation", () => {
  const options = { checkQuorum: true, preVote: true };

  it("a follower whose leader's contact is lapsed grants a pre-vote at once", () => {
    const [leader, candidate, voter] = group(options);
    const request = newMessage({
      type: "MsgPreVote",
      from: candidate.node.id,
      to: voter.node.id,
      term: term(leader.node.term + 1),
      logTerm: leader.node.term,
      index: leader.node.lastIndex,
    });
    voter.node.step(request);
    expect(voter.work()).toEqual([]);
    voter.node.lapseLeaderContact();
    voter.node.step(request);
    expect(voter.work()).toMatchObject([{ type: "MsgPreVoteResp", to: 2, reject: false }]);
  });

  it("a leader that wakes has a whole election timeout to hear of a quorum", () => {
    const [leader, follower] = group(options);
    for (let ticks = 0; ticks < 9; ticks++) {
      leader.node.tick();
    }
    leader.node.resetRecentActive();
    for (let ticks = 0; ticks < 9; ticks++) {
      leader.node.tick();
    }
    expect(leader.node.isLeader).toBe(true);
    leader.work();
    leader.node.sendHeartbeats();
    const [heartbeat] = leader.work();
    follower.node.step(heartbeat ?? newMessage({ type: "MsgBeat" }));
    for (const response of follower.work()) {
      leader.node.step(response);
    }
    leader.node.tick();
    expect(leader.node.isLeader).toBe(true);
    for (let ticks = 0; ticks < 10; ticks++) {
      leader.node.tick();
    }
    expect(leader.node.isLeader).toBe(false);
  });

  it("a follower that is kept awake does not campaign", () => {
    const [, follower] = group(options);
    for (let ticks = 0; ticks < 100; ticks++) {
      follower.node.tick();
      follower.node.resetElectionElapsed();
    }
    expect(follower.node.role).toBe("Follower");
  });
});
