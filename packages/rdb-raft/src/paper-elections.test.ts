import { describe, expect, test } from "vitest";
import { SeededRandom } from "@flaredb/rdb-base";
import type { Message, Role } from "./messages.ts";
import { buildEntry, buildLog, buildMessage } from "./testing/build-message.ts";
import { TestNetwork } from "./testing/test-network.ts";
import { ELECTION_TICKS, TestPeer } from "./testing/test-peer.ts";

// The rules of "In Search of an Understandable Consensus Algorithm" about terms and elections, section by section.

/** A peer of a group of three in the term 1 and in a role. */
function peerInRole(role: Role): TestPeer {
  const peer = new TestPeer({ id: 1, hardState: { term: role === "Follower" ? 1 : 0 } });
  if (role === "Leader") {
    peer.becomeLeader();
  } else if (role === "Candidate") {
    peer.raft.campaign();
    peer.drain();
  }
  expect(peer.raft).toMatchObject({ role, term: 1 });
  return peer;
}

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

function ofType(messages: readonly Message[], type: Message["type"]): Message[] {
  return messages.filter((message) => message.type === type);
}

function ticksUntilCampaign(peer: TestPeer): number {
  const { term } = peer.raft;
  for (let ticks = 1; ; ticks++) {
    peer.tick(1);
    // In its own term it may only ask again.
    if (ofType(peer.drain(), "MsgVote").some((request) => request.term > term)) {
      return ticks;
    }
  }
}

describe("Raft paper §5.1 terms", () => {
  test.each(["Follower", "Candidate", "Leader"] as const)(
    "a %s that hears of a greater term adopts it and follows",
    (role) => {
      const peer = peerInRole(role);
      peer.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term: 2 }));
      expect(peer.raft).toMatchObject({ role: "Follower", term: 2, lead: 2 });
    },
  );

  test("a message of an older term changes nothing and is not answered", () => {
    const peer = new TestPeer({ id: 1, hardState: { term: 2 } });
    const entries = [buildEntry(1, 1)];
    expect(peer.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term: 1, entries }))).toEqual([]);
    expect(peer.raft).toMatchObject({ term: 2, lead: 0, lastIndex: 0 });
  });

  test("SPEC-R3: the term survives a restart", () => {
    const peer = peerInRole("Follower");
    peer.receive(buildMessage({ type: "MsgHeartbeat", from: 2, to: 1, term: 7 }));
    expect(peer.restart().raft.term).toBe(7);
  });
});

describe("Raft paper §5.2 elections", () => {
  test("a peer starts as a follower", () => {
    expect(new TestPeer({ id: 1 }).raft.role).toBe("Follower");
  });

  test("a leader sends a heartbeat without entries to every other peer at each interval", () => {
    const leader = peerInRole("Leader");
    leader.raft.proposeBatch([new Uint8Array(1), new Uint8Array(1)]);
    leader.drain();
    leader.tick(1);
    const expected = { type: "MsgHeartbeat", from: 1, term: 1, logTerm: 0, index: 0, entries: [] };
    expect(leader.drain()).toMatchObject([
      { ...expected, to: 2 },
      { ...expected, to: 3 },
    ]);
  });

  test.each(["Follower", "Candidate"] as const)(
    "a %s that hears nothing for an election timeout votes for itself in the next term and asks all others",
    (role) => {
      const peer = peerInRole(role);
      peer.tick(2 * ELECTION_TICKS - 1);
      // As a candidate it asked again in its first term, until then.
      const asked = ofType(peer.drain(), "MsgVote").filter(({ term }) => term !== 1);
      expect(peer.raft).toMatchObject({ role: "Candidate", term: 2, vote: 1 });
      expect(asked).toMatchObject([
        { from: 1, to: 2, term: 2, logTerm: 0, index: 0 },
        { from: 1, to: 3, term: 2, logTerm: 0, index: 0 },
      ]);
    },
  );

  test.each<[number, Record<number, boolean>, Role]>([
    [1, {}, "Leader"],
    [3, { 2: true, 3: true }, "Leader"],
    [3, { 2: true }, "Leader"],
    [5, { 2: true, 3: true, 4: true, 5: true }, "Leader"],
    [5, { 2: true, 3: true }, "Leader"],
    [3, { 2: false, 3: false }, "Follower"],
    [5, { 2: false, 3: false, 4: false, 5: false }, "Follower"],
    [5, { 2: true, 3: false, 4: false, 5: false }, "Follower"],
    [3, {}, "Candidate"],
    [5, { 2: true }, "Candidate"],
    [5, { 2: false, 3: false }, "Candidate"],
  ])("a candidate among %i with the votes %o is a %s", (count, votes, role) => {
    const peer = new TestPeer({ id: 1, voters: ids(count) });
    peer.raft.campaign();
    peer.drain();
    for (const [from, granted] of Object.entries(votes)) {
      const reply = { type: "MsgVoteResp", from: Number(from), to: 1, term: 1, reject: !granted } as const;
      peer.receive(buildMessage(reply));
    }
    expect(peer.raft).toMatchObject({ role, term: 1 });
  });

  test("a vote counts once, however often it arrives", () => {
    const peer = new TestPeer({ id: 1, voters: ids(5) });
    peer.raft.campaign();
    peer.drain();
    for (let count = 0; count < 3; count++) {
      peer.receive(buildMessage({ type: "MsgVoteResp", from: 2, to: 1, term: 1 }));
    }
    expect(peer.raft.role).toBe("Candidate");
  });

  test.each([
    [0, 2, true],
    [0, 3, true],
    [2, 2, true],
    [3, 3, true],
    [2, 3, false],
    [3, 2, false],
  ])("a peer whose vote is %i's, asked by %i in the same term, grants: %o", (vote, candidate, granted) => {
    const peer = new TestPeer({ id: 1, hardState: { term: 1, vote } });
    const reply = peer.receive(buildMessage({ type: "MsgVote", from: candidate, to: 1, term: 1 }));
    expect(reply).toMatchObject([{ type: "MsgVoteResp", to: candidate, term: 1, reject: !granted }]);
  });

  test("SPEC-R3: a vote is durable before it is told, and binds the peer after a restart", () => {
    const peer = new TestPeer({ id: 1 });
    peer.raft.step(buildMessage({ type: "MsgVote", from: 2, to: 1, term: 1 }));
    const ready = peer.raft.ready();
    expect(ready).toMatchObject({ mustSync: true, hardState: { term: 1, vote: 2 } });
    expect(ofType(ready.messages, "MsgVoteResp")).toMatchObject([{ to: 2, reject: false }]);
    peer.disk.log.setHardState(ready.hardState ?? { ...peer.disk.initialState().hardState });

    const restarted = peer.restart();
    const ask = (from: number): Message[] =>
      restarted.receive(buildMessage({ type: "MsgVote", from, to: 1, term: 1 }));
    expect(ask(3)).toMatchObject([{ to: 3, reject: true }]);
    expect(ask(2)).toMatchObject([{ to: 2, reject: false }]);
  });

  test("SPEC-R3: with asynchronous storage nobody is asked for a vote before term and own vote are durable", () => {
    // Else a candidate could forget them in a crash, campaign in the same term with another log, and be elected by
    // votes that were given to the first attempt.
    const peer = new TestPeer({ id: 1, config: { asyncStorageWrites: true } });
    peer.raft.campaign();
    expect(peer.raft.ready().messages).toMatchObject([
      {
        type: "MsgStorageAppend",
        term: 1,
        vote: 1,
        responses: [
          { type: "MsgVoteResp", to: 1 },
          { type: "MsgVote", to: 2, term: 1 },
          { type: "MsgVote", to: 3, term: 1 },
        ],
      },
    ]);
  });

  test.each([1, 2])("a candidate of term 1 follows a leader of term %i", (term) => {
    const peer = peerInRole("Candidate");
    peer.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term }));
    expect(peer.raft).toMatchObject({ role: "Follower", term, lead: 2 });
  });

  test.each(["Follower", "Candidate"] as const)(
    "a %s's election timeouts spread over a whole span",
    (role) => {
      const peer = peerInRole(role);
      const seen = new Set<number>();
      for (let round = 0; round < 50 * ELECTION_TICKS; round++) {
        if (role === "Follower") {
          peer.receive(buildMessage({ type: "MsgHeartbeat", from: 2, to: 1, term: peer.raft.term + 1 }));
        }
        seen.add(ticksUntilCampaign(peer));
      }
      const span = Array.from({ length: ELECTION_TICKS }, (_, at) => ELECTION_TICKS + at);
      expect([...seen].sort((left, right) => left - right)).toEqual(span);
    },
  );

  test("most often one peer alone times out first", () => {
    const rounds = 300;
    const random = new SeededRandom(7);
    let ties = 0;
    for (let round = 0; round < rounds; round++) {
      const peers = ids(5).map((id) => new TestPeer({ id, voters: ids(5), random }));
      const timeouts = peers.map(ticksUntilCampaign);
      const first = Math.min(...timeouts);
      ties += timeouts.filter((timeout) => timeout === first).length > 1 ? 1 : 0;
    }
    expect(ties / rounds).toBeLessThan(0.4);
  });
});

describe("Raft paper §5.4.1 election restriction", () => {
  test.each([[[1]], [[1, 2]]])("a candidate with the log %o tells its last entry", (terms) => {
    const peer = new TestPeer({ id: 1 });
    const term = (terms.at(-1) ?? 0) as number;
    peer.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term, entries: buildLog(terms) }));
    peer.tick(2 * ELECTION_TICKS - 1);
    const expected = { term: term + 1, logTerm: term, index: terms.length };
    expect(ofType(peer.drain(), "MsgVote")).toMatchObject([
      { to: 2, ...expected },
      { to: 3, ...expected },
    ]);
  });

  test.each([
    [[1], 1, 1, true],
    [[1], 1, 2, true],
    [[1, 1], 1, 1, false],
    [[1], 2, 1, true],
    [[1], 2, 2, true],
    [[1, 1], 2, 1, true],
    [[2], 1, 1, false],
    [[2], 1, 2, false],
    [[2, 1], 1, 1, false],
  ])(
    "a voter with the log %o, asked by one whose last entry is %i/%i, grants: %o",
    (log, term, index, granted) => {
      const peer = new TestPeer({ id: 1, voters: [1, 2], log, hardState: { term: 2 } });
      const ask = buildMessage({ type: "MsgVote", from: 2, to: 1, term: 3, logTerm: term, index });
      expect(peer.receive(ask)).toMatchObject([{ type: "MsgVoteResp", term: 3, reject: !granted }]);
    },
  );
});

describe("Raft thesis §4.2.1 learners", () => {
  test("a learner never campaigns", () => {
    const learner = new TestPeer({ id: 3, voters: [1, 2], learners: [3] });
    learner.tick(4 * ELECTION_TICKS);
    learner.raft.campaign();
    expect(learner.drain()).toEqual([]);
    expect(learner.raft).toMatchObject({ role: "Follower", term: 0 });
  });

  test("a learner's vote does not count, nor does its acknowledgement", () => {
    const peer = new TestPeer({ id: 1, voters: [1, 2], learners: [3] });
    peer.raft.campaign();
    peer.drain();
    peer.receive(buildMessage({ type: "MsgVoteResp", from: 3, to: 1, term: 1 }));
    expect(peer.raft.role).toBe("Candidate");
    peer.receive(buildMessage({ type: "MsgVoteResp", from: 2, to: 1, term: 1 }));
    expect(peer.raft.role).toBe("Leader");
    peer.receive(buildMessage({ type: "MsgAppResp", from: 3, to: 1, term: 1, index: 1 }));
    expect(peer.raft.commitIndex).toBe(0);
    peer.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 1, index: 1 }));
    expect(peer.raft.commitIndex).toBe(1);
  });
});

describe("Raft thesis §9.6 pre-vote and §6.2 check-quorum", () => {
  const config = { preVote: true, checkQuorum: true };

  function group(): TestNetwork {
    const network = new TestNetwork(ids(3).map((id) => new TestPeer({ id, config })));
    network.campaign(1);
    expect(network.peer(1).raft.isLeader).toBe(true);
    return network;
  }

  test("a peer that was cut off does not raise the term, nor depose the leader when it is back", () => {
    const network = group();
    network.isolate(3);
    network.peer(3).tick(10 * ELECTION_TICKS);
    network.settle();
    expect(network.peer(3).raft).toMatchObject({ role: "PreCandidate", term: 1 });
    network.heal();
    network.peer(3).tick(2 * ELECTION_TICKS);
    network.settle();
    expect(network.peer(1).raft).toMatchObject({ role: "Leader", term: 1 });
  });

  test("SPEC-R5: a leader that hears of no quorum for an election timeout steps down", () => {
    const network = group();
    network.isolate(1);
    for (let ticks = 0; ticks < 2 * ELECTION_TICKS; ticks++) {
      network.peer(1).tick(1);
      network.settle();
    }
    expect(network.peer(1).raft).toMatchObject({ role: "Follower", lead: 0 });
  });

  test("a follower in touch with its leader grants no vote", () => {
    const network = group();
    const ask = buildMessage({ type: "MsgVote", from: 3, to: 2, term: 5, logTerm: 1, index: 9 });
    expect(network.peer(2).receive(ask)).toEqual([]);
    expect(network.peer(2).raft.term).toBe(1);
  });
});
