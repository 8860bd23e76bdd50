import { describe, expect, it } from "vitest";
import type { RaftConfig } from "./config.ts";
import type { Message } from "./messages.ts";
import { buildMessage } from "./testing/build-message.ts";
import { ELECTION_TICKS, TestPeer } from "./testing/test-peer.ts";

// A leader dies whose last entry has reached one follower. The other one times out first, and cannot win.

const LEADER = 1;
const BEHIND = 3;
const NEVER_TICKS = 1_000;

/** A follower of {@link LEADER} in term 1, with two entries. */
function follower(config: Partial<RaftConfig> = {}, voters: readonly number[] = [1, 2, 3]): TestPeer {
  const peer = new TestPeer({
    ...{ id: 2, voters, log: [1, 1] },
    config: { preVote: true, checkQuorum: true, drawElectionTimeoutTicks: () => NEVER_TICKS, ...config },
  });
  peer.receive(buildMessage({ type: "MsgHeartbeat", from: LEADER, to: 2, term: 1 }));
  return peer;
}

/** Asks for a pre-vote with a log of so many entries. */
const request = (entryCount: number): Message =>
  buildMessage({ type: "MsgPreVote", from: BEHIND, to: 2, term: 2, logTerm: 1, index: entryCount });

const kindsOf = (messages: readonly Message[]): string[] =>
  messages.map(({ type, to }) => `${type} to ${to}`);

describe("a follower that has lost its leader", () => {
  it("campaigns at once when it must refuse the only other candidate", () => {
    const peer = follower();
    peer.tick(ELECTION_TICKS);
    expect(kindsOf(peer.receive(request(1)))).toEqual([
      "MsgPreVote to 1",
      "MsgPreVote to 3",
      "MsgPreVoteResp to 3",
    ]);
    expect(peer.raft.role).toBe("PreCandidate");
  });

  it("is elected by the one that it refused", () => {
    const peer = follower();
    peer.tick(ELECTION_TICKS);
    peer.receive(request(1));
    peer.receive(buildMessage({ type: "MsgPreVoteResp", from: BEHIND, to: 2, term: 2 }));
    peer.receive(buildMessage({ type: "MsgVoteResp", from: BEHIND, to: 2, term: 2 }));
    expect(peer.raft).toMatchObject({ role: "Leader", term: 2 });
  });

  it("grants the vote to who has as much as itself, and stays a follower", () => {
    const peer = follower();
    peer.tick(ELECTION_TICKS);
    expect(peer.receive(request(2))).toMatchObject([{ type: "MsgPreVoteResp", reject: false }]);
    expect(peer.raft.role).toBe("Follower");
  });

  it("leaves it to the others where the candidate may win without it", () => {
    const peer = follower({}, [1, 2, 3, 4, 5]);
    peer.tick(ELECTION_TICKS);
    expect(peer.receive(request(1))).toMatchObject([{ type: "MsgPreVoteResp", reject: true }]);
    expect(peer.raft.role).toBe("Follower");
  });

  it("waits for its own timeout without the option", () => {
    const peer = follower({ runInstead: false });
    peer.tick(ELECTION_TICKS);
    peer.receive(request(1));
    expect(peer.raft.role).toBe("Follower");
  });
});

it.each([
  { preVote: true, checkQuorum: true },
  { preVote: true, checkQuorum: false },
])("a follower that has heard of its leader lately does not campaign (%o)", (config) => {
  const peer = follower(config);
  peer.tick(ELECTION_TICKS - 1);
  peer.receive(request(1));
  expect(peer.raft.role).toBe("Follower");
});
