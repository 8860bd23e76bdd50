import { describe, expect, test } from "vitest";
import { acceptAppend, TestPeer } from "./testing/test-peer.ts";
import { buildEntry, buildLog, buildMessage, bytes } from "./testing/build-message.ts";
import { TestNetwork } from "./testing/test-network.ts";
import type { Message } from "./messages.ts";

// The rules of "In Search of an Understandable Consensus Algorithm" about the log, section by section.

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

/** A leader of term 1 whose first entry is committed, in a group of `count`. */
function settledLeader(count = 3): TestPeer {
  const leader = new TestPeer({ id: 1, voters: ids(count) });
  for (const append of leader.becomeLeader().filter(({ type }) => type === "MsgApp")) {
    leader.receive(acceptAppend(append));
  }
  expect(leader.raft).toMatchObject({ isLeader: true, commitIndex: 1 });
  return leader;
}

function terms(peer: TestPeer): number[] {
  return peer.disk.allEntries().map(({ term }) => term);
}

function propose(peer: TestPeer, text: string): Message[] {
  expect(peer.raft.propose(bytes(text))).toBe("ok");
  return peer.drain();
}

describe("Raft paper §5.3 log replication", () => {
  test("a leader appends a proposal to its own log and sends it to all with the entry before it", () => {
    const leader = settledLeader();
    const sent = propose(leader, "some data");
    const entries = [buildEntry(1, 2, "some data")];
    expect(leader.disk.allEntries()).toMatchObject([{}, entries[0] ?? {}]);
    expect(leader.raft.commitIndex).toBe(1);
    expect(sent).toMatchObject([
      { type: "MsgApp", to: 2, term: 1, logTerm: 1, index: 1, entries, commit: 1 },
      { type: "MsgApp", to: 3, term: 1, logTerm: 1, index: 1, entries, commit: 1 },
    ]);
  });

  test("SPEC-R4: a leader applies an entry that is safe, and tells the others how far it is committed", () => {
    const leader = settledLeader();
    const [append] = propose(leader, "some data");
    const told = append === undefined ? [] : leader.receive(acceptAppend(append));
    expect(leader.applied.at(-1)).toMatchObject(buildEntry(1, 2, "some data"));
    expect(told).toMatchObject([
      { type: "MsgApp", to: 2, commit: 2 },
      { type: "MsgApp", to: 3, commit: 2 },
    ]);
  });

  test.each([
    [1, [], true],
    [3, [], false],
    [3, [2], true],
    [3, [2, 3], true],
    [5, [], false],
    [5, [2], false],
    [5, [2, 3], true],
    [5, [2, 3, 4, 5], true],
  ])(
    "SPEC-R2: among %i an entry that %o have besides the leader is committed: %o",
    (count, others, committed) => {
      const leader = settledLeader(count);
      for (const append of propose(leader, "x").filter(({ to }) => others.includes(to))) {
        leader.receive(acceptAppend(append));
      }
      expect(leader.raft.commitIndex > 1).toBe(committed);
    },
  );

  test.each([[[]], [[2]], [[1, 2]], [[1]]])(
    "committing an entry commits all before it, here %o",
    (log: number[]) => {
      const leader = new TestPeer({ id: 1, log, hardState: { term: 2 } });
      const appends = leader.becomeLeader().filter(({ type }) => type === "MsgApp");
      expect(appends.length).toBeGreaterThan(0);
      leader.receive(
        buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 3, index: leader.raft.lastIndex }),
      );
      expect(leader.applied.map(({ term }) => term)).toEqual([...log, 3]);
      expect(leader.applied.map(({ index }) => index)).toEqual(ids(log.length + 1));
    },
  );

  test.each([1, 2, 3])(
    "a follower applies what its leader says is committed, %i of three, in order",
    (commit) => {
      const follower = new TestPeer({ id: 1 });
      const entries = [buildEntry(1, 1, "a"), buildEntry(1, 2, "b"), buildEntry(1, 3, "c")];
      follower.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term: 1, entries, commit }));
      expect(follower.applied).toEqual(entries.slice(0, commit));
    },
  );

  test.each([
    [0, 0, { index: 1, reject: false }],
    [1, 1, { index: 1, reject: false }],
    [2, 2, { index: 2, reject: false }],
    [1, 2, { index: 2, reject: true, rejectHint: 1, logTerm: 1 }],
    [3, 3, { index: 3, reject: true, rejectHint: 2, logTerm: 2 }],
  ])("a follower that has 1/1 and 2/2 answers an append after %i/%i with %o", (logTerm, index, answer) => {
    const follower = new TestPeer({ id: 1, log: [1, 2], hardState: { commit: 1 } });
    const reply = follower.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term: 2, logTerm, index }));
    expect(reply).toMatchObject([{ type: "MsgAppResp", to: 2, ...answer }]);
  });

  test.each([
    [2, 2, [buildEntry(3, 3)], [1, 2, 3]],
    [1, 1, [buildEntry(3, 2), buildEntry(4, 3)], [1, 3, 4]],
    [0, 0, [buildEntry(1, 1)], [1, 2]],
    [0, 0, [buildEntry(3, 1)], [3]],
  ])(
    "SPEC-R6: an append after %i/%i replaces what conflicts with it, and nothing else",
    (logTerm, index, entries, log) => {
      const follower = new TestPeer({ id: 1, log: [1, 2] });
      follower.receive(buildMessage({ type: "MsgApp", from: 2, to: 1, term: 4, logTerm, index, entries }));
      expect(terms(follower)).toEqual(log);
    },
  );

  test("a follower commits up to the last new entry at most, whatever else it has", () => {
    const follower = new TestPeer({ id: 1, log: [1, 1, 1, 1, 1] });
    const append = { type: "MsgApp", from: 2, to: 1, term: 2, logTerm: 1, index: 1, commit: 5 } as const;
    follower.receive(buildMessage({ ...append, entries: [buildEntry(1, 2)] }));
    expect(follower.raft.commitIndex).toBe(2);
    follower.receive(buildMessage({ ...append, commit: 2, entries: [buildEntry(1, 2), buildEntry(1, 3)] }));
    expect(follower.raft.commitIndex).toBe(2);
  });

  test("an old append that arrives late does not cut the log", () => {
    const follower = new TestPeer({ id: 1, log: [1, 1, 1], hardState: { commit: 3 } });
    const late = {
      type: "MsgApp",
      from: 2,
      to: 1,
      term: 1,
      logTerm: 1,
      index: 1,
      entries: buildLog([1], 2),
    } as const;
    expect(follower.receive(buildMessage(late))).toMatchObject([{ type: "MsgAppResp", reject: false }]);
    expect(terms(follower)).toEqual([1, 1, 1]);
  });
});

describe("Raft paper Figure 7: a leader makes any follower's log its own", () => {
  const leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

  test.each<[string, number[]]>([
    ["(a) lacks one entry", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["(b) lacks many", [1, 1, 1, 4]],
    ["(c) has one too many", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["(d) has two of a later term", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["(e) has others of the same term", [1, 1, 1, 4, 4, 4, 4]],
    ["(f) has a whole other history", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("SPEC-R6: %s", (_shape, log) => {
    const leader = new TestPeer({ id: 1, log: leaderLog, hardState: { term: 7, commit: 10 } });
    const follower = new TestPeer({ id: 2, log, hardState: { term: 7 } });
    const network = new TestNetwork([leader, follower]);
    leader.raft.campaign();
    network.settle();
    // The third peer votes, and is not heard of again.
    leader.raft.step(buildMessage({ type: "MsgVoteResp", from: 3, to: 1, term: leader.raft.term }));
    network.settle();
    leader.raft.propose(bytes("new"));
    network.settle();
    expect(leader.raft).toMatchObject({ isLeader: true, commitIndex: 12 });
    expect(terms(follower)).toEqual([...leaderLog, 8, 8]);
    expect(follower.disk.allEntries()).toEqual(leader.disk.allEntries());
    expect(follower.applied).toEqual(leader.applied);
  });
});

describe("Raft paper §5.4.2 entries of earlier terms", () => {
  test.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])(
    "a leader of term 3 with the log 1, 2 that a majority has up to %i commits %i",
    (acknowledged, commit) => {
      const leader = new TestPeer({ id: 1, voters: [1, 2], log: [1, 2], hardState: { term: 2 } });
      leader.becomeLeader();
      leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 3, index: acknowledged }));
      expect(leader.raft.commitIndex).toBe(commit);
    },
  );
});

describe("Raft paper Figure 8: an entry of an earlier term on a majority is not committed by that", () => {
  /** (c): S1 led in term 2 and reached S2; S5 led in term 3 and reached nobody. S1 is leader again, in term 4. */
  function stateC(): TestNetwork {
    const logs = [[1, 2], [1, 2], [1], [1], [1, 3]];
    const config = { maxSizePerMessageBytes: 0, maxCommittedSizePerReadyBytes: 1_000 };
    const peers = logs.map(
      (log, at) =>
        new TestPeer({ id: at + 1, voters: ids(5), log, hardState: { term: 3, commit: 1 }, config }),
    );
    peers[0]?.becomeLeader();
    expect(peers[0]?.raft.term).toBe(4);
    return new TestNetwork(peers);
  }

  test("(c) and (d): it is on three of five, not committed, and may still be replaced", () => {
    const network = stateC();
    const [s1, s3] = [network.peer(1), network.peer(3)];
    const inherited = { type: "MsgApp", from: 1, to: 3, term: 4, logTerm: 1, index: 1 } as const;
    for (const reply of s3.receive(buildMessage({ ...inherited, entries: buildLog([2], 2) }))) {
      s1.raft.step(reply);
    }
    s1.raft.step(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 4, index: 2 }));
    expect(s1.raft).toMatchObject({ isLeader: true, commitIndex: 1 });

    network.isolate(1);
    network.peer(5).raft.step(buildMessage({ type: "MsgHeartbeat", from: 1, to: 5, term: 4 }));
    network.campaign(5);
    expect(network.peer(5).raft.isLeader).toBe(true);
    for (const id of [2, 3, 4, 5]) {
      expect(terms(network.peer(id))).toEqual([1, 3, 5]);
      expect(network.peer(id).raft.commitIndex).toBe(3);
    }
  });

  test("(e): once an entry of the leader's own term is on a majority, both are committed for good", () => {
    const network = stateC();
    network.isolate(5);
    network.peer(1).tick(1);
    network.settle();
    expect(network.peer(1).raft.commitIndex).toBe(3);
    network.heal();
    network.isolate(1);
    network.campaign(5);
    network.campaign(5);
    expect(network.peer(5).raft.role).not.toBe("Leader");
    network.campaign(2);
    expect(terms(network.peer(5)).slice(0, 3)).toEqual([1, 2, 4]);
  });
});
