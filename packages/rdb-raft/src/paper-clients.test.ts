import { peerId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { Message } from "./messages.ts";
import { buildMessage, bytes } from "./testing/build-message.ts";
import { TestNetwork } from "./testing/test-network.ts";
import { ELECTION_TICKS, TestPeer, type TestPeerOptions } from "./testing/test-peer.ts";

// The rules of the Raft thesis about linearizable reads (§6.4) and transfers of leadership (§3.10).

const CONTEXT = bytes("read");

function group(config: TestPeerOptions["config"] = {}, count = 3): TestNetwork {
  const voters = Array.from({ length: count }, (_, at) => at + 1);
  const network = new TestNetwork(voters.map((id) => new TestPeer({ id, voters, config })));
  network.campaign(1);
  expect(network.peer(1).raft).toMatchObject({ isLeader: true, commitIndex: 1 });
  return network;
}

/** What peers answer to the leader's heartbeats for a read. */
function confirmations(sent: readonly Message[]): Message[] {
  return sent
    .filter(({ type }) => type === "MsgHeartbeat")
    .map(({ from, to, term, context }) =>
      buildMessage({ type: "MsgHeartbeatResp", from: to, to: from, term, context }),
    );
}

describe("Raft thesis §6.4 ReadIndex", () => {
  test("a read is answered with the commit index once a majority has confirmed the leader", () => {
    const leader = group().peer(1);
    leader.raft.readIndex(CONTEXT);
    const [confirmation] = confirmations(leader.drain());
    expect(leader.readStates).toEqual([]);
    expect(confirmation).toBeDefined();
    if (confirmation !== undefined) {
      leader.receive(confirmation);
    }
    expect(leader.readStates).toEqual([{ index: 1, requestContext: CONTEXT }]);
  });

  test("SPEC-R5: a leader that is cut off answers no read", () => {
    const network = group();
    network.isolate(1);
    network.peer(1).raft.readIndex(CONTEXT);
    network.settle();
    network.peer(1).tick(ELECTION_TICKS);
    network.settle();
    expect(network.peer(1).readStates).toEqual([]);
  });

  test("a leader answers no read before it has committed an entry of its own term", () => {
    const leader = new TestPeer({ id: 1, log: [1, 1], hardState: { term: 1, commit: 1 } });
    leader.becomeLeader();
    leader.raft.readIndex(CONTEXT);
    for (const confirmation of confirmations(leader.drain())) {
      leader.receive(confirmation);
    }
    expect(leader.readStates).toEqual([]);

    const sent = leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 2, index: 3 }));
    expect(leader.raft.commitIndex).toBe(3);
    for (const confirmation of confirmations(sent)) {
      leader.receive(confirmation);
    }
    expect(leader.readStates).toEqual([{ index: 3, requestContext: CONTEXT }]);
  });

  test("a single voter answers no read either before its own term's commit", () => {
    // Its commit index need not have been durable: it may have acknowledged more before a restart.
    const leader = new TestPeer({ id: 1, voters: [1], log: [1, 1], hardState: { term: 1, commit: 1 } });
    leader.raft.campaign();
    while (!leader.raft.isLeader) {
      leader.handleReady();
    }
    expect(leader.raft.commitIndex).toBe(1);
    leader.raft.readIndex(CONTEXT);
    leader.drain();
    expect(leader.readStates).toEqual([{ index: 3, requestContext: CONTEXT }]);
  });

  test("a confirmation of another read confirms nothing", () => {
    const leader = group().peer(1);
    leader.raft.readIndex(CONTEXT);
    leader.drain();
    leader.receive(buildMessage({ type: "MsgHeartbeatResp", from: 2, to: 1, term: 1 }));
    leader.receive(buildMessage({ type: "MsgHeartbeatResp", from: 2, to: 1, term: 1, context: bytes("x") }));
    expect(leader.readStates).toEqual([]);
  });

  test("the confirmation of a read confirms all reads before it", () => {
    const leader = group().peer(1);
    leader.raft.readIndex(bytes("first"));
    leader.drain();
    leader.raft.readIndex(bytes("second"));
    const [confirmation] = confirmations(leader.drain());
    if (confirmation !== undefined) {
      leader.receive(confirmation);
    }
    expect(leader.readStates.map(({ requestContext }) => requestContext)).toEqual([
      bytes("first"),
      bytes("second"),
    ]);
  });

  test("a follower gets the leader's commit index for its own read", () => {
    const network = group();
    network.peer(1).raft.propose(bytes("x"));
    network.settle();
    network.peer(3).raft.readIndex(CONTEXT);
    network.settle();
    expect(network.peer(3).readStates).toEqual([{ index: 2, requestContext: CONTEXT }]);
  });

  test("a leader whose reads rely on its lease answers at once", () => {
    const leader = group({ checkQuorum: true, readOnlyOption: "LeaseBased" }).peer(1);
    leader.raft.readIndex(CONTEXT);
    expect(confirmations(leader.drain())).toEqual([]);
    expect(leader.readStates).toEqual([{ index: 1, requestContext: CONTEXT }]);
  });

  test("a leader that was removed asks the single voter that is left, rather than answer as if it were that", () => {
    const leader = new TestPeer({ id: 1, voters: [1, 2] });
    leader.becomeLeader();
    const change = { version: 2, transition: "Auto", context: new Uint8Array() } as const;
    leader.raft.proposeConfChange({ ...change, changes: [{ type: "RemoveNode", nodeId: peerId(1) }] });
    leader.drain();
    leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 1, index: 2 }));
    expect(leader.raft.confState.voters).toEqual([2]);
    leader.raft.readIndex(CONTEXT);
    const replies = confirmations(leader.drain());
    expect(leader.readStates).toEqual([]);
    replies.forEach((reply) => leader.receive(reply));
    expect(leader.readStates).toHaveLength(1);
  });

  test("a learner's confirmation does not count", () => {
    const leader = new TestPeer({ id: 1, voters: [1, 2], learners: [3] });
    leader.becomeLeader();
    leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 1, index: 1 }));
    leader.raft.readIndex(CONTEXT);
    const replies = confirmations(leader.drain());
    replies.filter(({ from }) => from === 3).forEach((reply) => leader.receive(reply));
    expect(leader.readStates).toEqual([]);
    replies.filter(({ from }) => from === 2).forEach((reply) => leader.receive(reply));
    expect(leader.readStates).toHaveLength(1);
  });
});

describe("Raft thesis §6.4.1 leases", () => {
  const config = { preVote: true, checkQuorum: true };

  /** How many ticks a voter refuses another candidate, from when it confirmed a round of its leader's. */
  function ticksOfRefusal(voter: TestPeer, term: number): number {
    const { lastIndex: index } = voter.raft;
    const ask = buildMessage({ type: "MsgPreVote", from: 3, to: 2, term: term + 1, logTerm: term, index });
    for (let ticks = 0; ; ticks++) {
      if (voter.receive(ask).some(({ type, reject }) => type === "MsgPreVoteResp" && !reject)) {
        return ticks;
      }
      voter.tick(1);
      voter.drain();
    }
  }

  test.each([0, 1, ELECTION_TICKS - 1])(
    "a round confirmed after %i ticks binds its voter for an election timeout from when it was sent, and longer",
    (delay) => {
      const network = group(config);
      const [leader, voter] = [network.peer(1), network.peer(2)];
      // Whoever elects another leader shares a voter with the round; from here on nobody hears of this one.
      leader.raft.readIndex(CONTEXT);
      const round = leader.drain().find(({ type, to }) => type === "MsgHeartbeat" && to === voter.id);
      expect(round).toBeDefined();
      voter.tick(delay);
      voter.drain();
      const confirmation = round === undefined ? [] : voter.receive(round);
      expect(confirmation).toMatchObject([{ type: "MsgHeartbeatResp", context: round?.context }]);
      const lease = delay + ticksOfRefusal(voter, leader.raft.term);
      expect(lease).toBe(delay + ELECTION_TICKS);
    },
  );

  test("a leader whose reads rely on its lease answers none once a check has found no quorum", () => {
    const network = group({ ...config, readOnlyOption: "LeaseBased" });
    const leader = network.peer(1);
    network.isolate(1);
    // The check at the end of the first timeout still counts what was heard before the cut.
    leader.tick(2 * ELECTION_TICKS);
    network.settle();
    leader.raft.readIndex(CONTEXT);
    network.settle();
    expect(leader.raft.role).toBe("Follower");
    expect(leader.readStates).toEqual([]);
  });
});

describe("Raft thesis §3.10 leadership transfer", () => {
  test("a peer that has everything is told to campaign at once, and wins", () => {
    const network = group();
    network.peer(1).raft.transferLeader(peerId(3));
    network.settle();
    expect(network.peer(3).raft.isLeader).toBe(true);
    expect(network.peer(1).raft).toMatchObject({ role: "Follower", lead: 3 });
  });

  test("SCENARIO-26: a peer that lacks entries gets them first; no proposal is taken meanwhile", () => {
    const network = group();
    const leader = network.peer(1);
    network.isolate(3);
    leader.raft.propose(bytes("x"));
    network.settle();
    leader.raft.transferLeader(peerId(3));
    expect(leader.raft.leadTransferee).toBe(3);
    expect(leader.raft.propose(bytes("y"))).toBe("proposal-dropped");
    network.heal();
    leader.tick(1);
    network.settle();
    expect(network.peer(3).raft.isLeader).toBe(true);
    expect(network.peer(3).applied.map(({ data }) => data)).toContainEqual(bytes("x"));
  });

  test("SCENARIO-26: it is given up after one election timeout, and proposals are taken again", () => {
    const network = group();
    const leader = network.peer(1);
    network.isolate(3);
    leader.raft.transferLeader(peerId(3));
    network.settle();
    leader.tick(ELECTION_TICKS - 1);
    expect(leader.raft.leadTransferee).toBe(3);
    leader.tick(1);
    expect(leader.raft).toMatchObject({ isLeader: true, leadTransferee: 0 });
    expect(leader.raft.propose(bytes("x"))).toBe("ok");
  });

  test("the target's request is granted in spite of a living leader, with pre-vote and check-quorum", () => {
    const network = group({ preVote: true, checkQuorum: true });
    network.peer(1).raft.transferLeader(peerId(2));
    network.settle();
    expect(network.peer(2).raft.isLeader).toBe(true);
  });

  test("SCENARIO-26: a transfer to itself, to a stranger or to a learner changes nothing", () => {
    const leader = new TestPeer({ id: 1, voters: [1, 2], learners: [3] });
    leader.becomeLeader();
    for (const target of [1, 9, 3]) {
      leader.raft.transferLeader(peerId(target));
      expect(leader.raft.leadTransferee).toBe(0);
    }
    expect(leader.raft.propose(bytes("x"))).toBe("ok");
  });
});
