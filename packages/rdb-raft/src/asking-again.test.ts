import { peerId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { LOCAL_APPEND_THREAD, type Message } from "./messages.ts";
import { newMessage } from "./new-message.ts";
import type { RawNode } from "./raw-node.ts";
import { group, ids, InstantPeer, settle } from "./testing/instant-peer.ts";
import { TestPeer } from "./testing/test-peer.ts";

// A request for a vote, or its answer, may be lost. Everything here happens within one election timeout.

const TIMEOUT_TICKS = 1_000;

function campaign(node: RawNode): void {
  node.campaign();
  node.setRandomizedElectionTimeout(TIMEOUT_TICKS);
}

const answerTo = ({ type, from, to, term: at }: Message, reject = false): Message =>
  newMessage({
    type: type === "MsgVote" ? "MsgVoteResp" : "MsgPreVoteResp",
    from: to,
    to: from,
    // Who refuses a pre-vote says its own term.
    term: type === "MsgPreVote" && reject ? term(Number(at) - 1) : at,
    reject,
  });

describe.each([
  { name: "election", preVote: false, asyncStorageWrites: false },
  { name: "election, storage on threads", preVote: false, asyncStorageWrites: true },
  { name: "pre-election", preVote: true, asyncStorageWrites: false },
  { name: "pre-election, storage on threads", preVote: true, asyncStorageWrites: true },
])("an $name", ({ preVote, asyncStorageWrites }) => {
  const options = { preVote, asyncStorageWrites };
  /** Two of three peers. */
  const pair = (): [InstantPeer, InstantPeer] => [new InstantPeer(1, options), new InstantPeer(2, options)];

  it("is won at the next heartbeat interval when all requests were lost", () => {
    const [candidate, voter] = pair();
    campaign(candidate.node);
    expect(candidate.work()).not.toEqual([]);
    candidate.node.tick();
    settle([candidate, voter]);
    expect(candidate.node).toMatchObject({ role: "Leader", term: 1 });
  });

  it("is won when the answer was lost: who has voted for this candidate says so again", () => {
    const [candidate, voter] = pair();
    campaign(candidate.node);
    candidate.work().forEach((request) => request.to === 2 && voter.node.step(request));
    expect(voter.work()).toMatchObject([{ to: 1, reject: false }]);
    candidate.node.tick();
    settle([candidate, voter]);
    expect(candidate.node).toMatchObject({ role: "Leader", term: 1 });
  });
});

describe("a candidate", () => {
  it.each([true, false])(
    "asks those that have not answered, granted or refused (pre-vote: %s)",
    (preVote) => {
      const peer = new TestPeer({ id: 1, voters: [1, 2, 3, 4, 5], config: { preVote } });
      campaign(peer.raft);
      const requests = peer.drain();
      expect(requests.map(({ to }) => to)).toEqual([2, 3, 4, 5]);
      const [toSecond, toThird] = requests as [Message, Message];
      peer.receive(answerTo(toSecond));
      peer.receive(answerTo(toThird, true));
      peer.tick(1);
      expect(peer.drain()).toEqual(requests.slice(2));
    },
  );

  it("counts a vote that is said again once", () => {
    const peer = new TestPeer({ id: 1, voters: [1, 2, 3, 4, 5] });
    campaign(peer.raft);
    const [request] = peer.drain() as [Message];
    for (let times = 0; times < 4; times++) {
      peer.receive(answerTo(request));
    }
    expect(peer.raft.role).toBe("Candidate");
  });

  it("asks at each heartbeat interval, and not between", () => {
    const peer = new TestPeer({ id: 1, config: { heartbeatTicks: 3 } });
    campaign(peer.raft);
    peer.drain();
    const asked = Array.from({ length: 9 }, () => {
      peer.tick(1);
      return peer.drain().length;
    });
    expect(asked).toEqual([0, 0, 2, 0, 0, 2, 0, 0, 2]);
  });

  it("asks half as often after a campaign that nobody decided, down to once an election timeout", () => {
    const peer = new TestPeer({ id: 1, config: { preVote: true, heartbeatTicks: 2, electionTicks: 10 } });
    campaign(peer.raft);
    const asked: number[][] = [];
    for (let campaigns = 0; campaigns < 5; campaigns++) {
      peer.raft.setRandomizedElectionTimeout(20);
      peer.drain();
      const ticks = Array.from({ length: 19 }, (_, at) => {
        peer.tick(1);
        return peer.drain().length > 0 ? [at + 1] : [];
      });
      asked.push(ticks.flat());
      // The next campaign begins, and nobody has answered this one.
      peer.tick(1);
      expect(peer.raft.role).toBe("PreCandidate");
    }
    expect(asked).toEqual([[2, 4, 6, 8, 10, 12, 14, 16, 18], [4, 8, 12, 16], [8, 16], [10], [10]]);
  });

  it("asks as often as at first once somebody has answered, or its campaign was decided", () => {
    const config = { preVote: true, heartbeatTicks: 1, electionTicks: 10 };
    const peer = new TestPeer({ id: 1, config });
    const untilAsked = (): number => {
      peer.drain();
      for (let ticks = 1; ; ticks++) {
        peer.tick(1);
        if (peer.drain().length > 0) {
          return ticks;
        }
      }
    };
    /** Nobody decides so many campaigns. */
    const leaveUndecided = (count: number): Message[] => {
      for (let campaigns = 0; campaigns < count; campaigns++) {
        peer.raft.resetElectionElapsed();
        peer.raft.setRandomizedElectionTimeout(10);
        peer.tick(9);
        peer.drain();
        peer.tick(1);
      }
      peer.raft.setRandomizedElectionTimeout(TIMEOUT_TICKS);
      return peer.drain();
    };
    campaign(peer.raft);
    const [request] = leaveUndecided(3) as [Message];
    expect(untilAsked()).toBe(8);
    peer.receive(answerTo(request));
    expect(peer.raft.role).toBe("Candidate");
    peer.raft.setRandomizedElectionTimeout(TIMEOUT_TICKS);
    expect(untilAsked()).toBe(1);

    const requests = leaveUndecided(3);
    requests.forEach((each) => peer.receive(answerTo(each, true)));
    expect(peer.raft.role).toBe("Follower");
    peer.raft.setRandomizedElectionTimeout(10);
    peer.tick(10);
    peer.raft.setRandomizedElectionTimeout(TIMEOUT_TICKS);
    expect(untilAsked()).toBe(1);
  });

  it("asks the voters of both halves of a joint configuration", () => {
    const peer = new TestPeer({ id: 1, voters: [1, 2] });
    peer.raft.applyConfChange({
      version: 2,
      transition: "JointExplicit",
      changes: [
        { type: "RemoveNode", nodeId: peerId(2) },
        { type: "AddNode", nodeId: peerId(3) },
      ],
      context: new Uint8Array(0),
    });
    campaign(peer.raft);
    const requests = peer.drain();
    peer.tick(1);
    expect(peer.drain()).toEqual(requests);
    expect(requests.map(({ to }) => to)).toEqual(ids(2, 3));
  });

  it("to whom leadership is transferred asks again as one: voters heed no lease", () => {
    const options = { checkQuorum: true, preVote: true };
    const [leader, target, voter] = group(options);
    leader.node.transferLeader(target.node.id);
    const timeoutNow = leader.work().find(({ type }) => type === "MsgTimeoutNow");
    target.node.step(timeoutNow ?? newMessage({ type: "MsgBeat" }));
    target.node.setRandomizedElectionTimeout(TIMEOUT_TICKS);
    expect(target.work()).toMatchObject([{ type: "MsgVote" }, { type: "MsgVote" }]);
    target.node.tick();
    settle([target, voter]);
    expect(target.node.role).toBe("Leader");
  });

  it("asks nobody again while its own vote is being written, for nobody was asked yet", () => {
    const { node } = new InstantPeer(1, { asyncStorageWrites: true });
    campaign(node);
    const [append] = node.ready().messages as [Message];
    expect(append).toMatchObject({ to: LOCAL_APPEND_THREAD, vote: 1 });
    for (let ticks = 0; ticks < 10; ticks++) {
      node.tick();
      expect(node.hasReady()).toBe(false);
    }
    const own = append.responses.find(({ to }) => to === 1) ?? append;
    node.step(own);
    node.tick();
    expect(node.ready().messages).toMatchObject([
      { to: LOCAL_APPEND_THREAD, responses: [{ type: "MsgVote" }, { type: "MsgVote" }] },
    ]);
  });

  it("that has lost asks nobody again, and campaigns anew at its election timeout", () => {
    const peer = new TestPeer({ id: 1 });
    campaign(peer.raft);
    for (const request of peer.drain()) {
      peer.receive(answerTo(request, true));
    }
    peer.raft.setRandomizedElectionTimeout(10);
    peer.tick(9);
    expect(peer.drain()).toEqual([]);
    peer.tick(1);
    expect(peer.drain()).toMatchObject([
      { type: "MsgVote", term: 2 },
      { type: "MsgVote", term: 2 },
    ]);
  });
});

describe("a pre-candidate", () => {
  it("disturbs no leader that the others hear, however often it asks", () => {
    const options = { checkQuorum: true, preVote: true };
    const [leader, deaf, voter] = group(options);
    const rest = [leader, voter];
    for (let ticks = 0; ticks < 100; ticks++) {
      rest.forEach((peer) => peer.node.tick());
      // Who hears nothing is heard.
      deaf.node.tick();
      for (const message of deaf.work()) {
        expect(message.type).not.toBe("MsgVote");
        rest.find((peer) => peer.node.id === message.to)?.node.step(message);
      }
      settle(rest);
    }
    expect(deaf.node.role).toBe("PreCandidate");
    expect(leader.node).toMatchObject({ role: "Leader", term: 1 });
  });
});
