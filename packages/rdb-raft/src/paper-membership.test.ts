import { peerId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { ConfChange } from "./conf-change/conf-change.ts";
import type { ConfChangeSingle, ConfChangeTransition, ConfChangeType } from "./messages.ts";
import { buildMessage, bytes } from "./testing/build-message.ts";
import { TestNetwork } from "./testing/test-network.ts";
import { TestPeer, type TestPeerOptions } from "./testing/test-peer.ts";

// The rules of the Raft thesis about changes of the configuration (chapter 4).

function change(
  singles: readonly (readonly [ConfChangeType, number])[],
  transition: ConfChangeTransition = "Auto",
): ConfChange {
  const changes: ConfChangeSingle[] = singles.map(([type, id]) => ({ type, nodeId: peerId(id) }));
  return { version: 2, transition, changes, context: new Uint8Array() };
}

/** Peers 1 to `count`, of which the first three vote, with 1 as the leader. */
function group(count: number, config: TestPeerOptions["config"] = {}): TestNetwork {
  const peers = Array.from({ length: count }, (_, at) => new TestPeer({ id: at + 1, config }));
  const network = new TestNetwork(peers);
  network.campaign(1);
  expect(network.peer(1).raft.isLeader).toBe(true);
  return network;
}

/** Acknowledges everything that the leader has, on behalf of these peers and no others. */
function acknowledge(leader: TestPeer, ids: readonly number[]): void {
  const { term, lastIndex: index } = leader.raft;
  for (const from of ids) {
    leader.receive(buildMessage({ type: "MsgAppResp", from, to: leader.id, term, index }));
  }
}

describe("Raft thesis §4.1 one change at a time", () => {
  test("a change takes part from when it is applied; until then another one is turned into an empty entry", () => {
    const leader = group(3).peer(1);
    leader.raft.proposeConfChange(change([["AddNode", 4]]));
    leader.raft.proposeConfChange(change([["AddNode", 5]]));
    leader.drain();
    expect(leader.disk.allEntries().map(({ type }) => type)).toEqual(["Normal", "ConfChangeV2", "Normal"]);
    expect(leader.raft.confState.voters).toEqual([1, 2, 3]);
    acknowledge(leader, [2]);
    expect(leader.raft.confState.voters).toEqual([1, 2, 3, 4]);
    leader.raft.proposeConfChange(change([["AddNode", 5]]));
    leader.drain();
    expect(leader.disk.allEntries().at(-1)?.type).toBe("ConfChangeV2");
  });

  test("a new leader takes no change before what it inherited is applied, which its own term's commit allows", () => {
    // The inherited entry might be a change that only this peer has.
    const leader = new TestPeer({ id: 1, log: [1, 1], hardState: { term: 1, commit: 1 } });
    leader.drain();
    leader.becomeLeader();
    leader.raft.proposeConfChange(change([["AddNode", 4]]));
    leader.drain();
    expect(leader.disk.allEntries().map(({ type }) => type)).not.toContain("ConfChangeV2");

    acknowledge(leader, [2]);
    expect(leader.raft).toMatchObject({ commitIndex: 4, appliedIndex: 4 });
    leader.raft.proposeConfChange(change([["AddNode", 4]]));
    leader.drain();
    expect(leader.disk.allEntries().at(-1)?.type).toBe("ConfChangeV2");
  });

  test("a change made before the leader's own-term commit does not take part without that commit", () => {
    const leader = new TestPeer({ id: 1, log: [1], hardState: { term: 1, commit: 1 } });
    leader.drain();
    leader.becomeLeader();
    leader.raft.proposeConfChange(change([["RemoveNode", 3]]));
    leader.drain();
    // A majority has what is before the own term's first entry: nothing new is committed, nothing changes.
    leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 2, index: 1 }));
    expect(leader.raft).toMatchObject({ commitIndex: 1 });
    expect(leader.raft.confState.voters).toEqual([1, 2, 3]);
    acknowledge(leader, [2]);
    expect(leader.raft.confState.voters).toEqual([1, 2]);
  });
});

describe("Raft thesis §4.2.2 a leader that removes itself", () => {
  function removeLeader(config: TestPeerOptions["config"]): TestPeer {
    const leader = group(3, config).peer(1);
    leader.raft.proposeConfChange(change([["RemoveNode", 1]]));
    leader.drain();
    leader.raft.propose(bytes("later"));
    leader.drain();
    leader.receive(buildMessage({ type: "MsgAppResp", from: 2, to: 1, term: 1, index: 2 }));
    expect(leader.raft.confState.voters).toEqual([2, 3]);
    return leader;
  }

  test("leads on until the change is committed, and does not count itself after", () => {
    const leader = removeLeader({});
    expect(leader.raft).toMatchObject({ isLeader: true, commitIndex: 2, lastIndex: 3 });
    acknowledge(leader, [2]);
    expect(leader.raft.commitIndex).toBe(2);
    acknowledge(leader, [3]);
    expect(leader.raft.commitIndex).toBe(3);
    expect(leader.raft.propose(bytes("none"))).toBe("proposal-dropped");
  });

  test("steps down when it applies the change, if told to", () => {
    expect(removeLeader({ stepDownOnRemoval: true }).raft).toMatchObject({ role: "Follower", lead: 0 });
  });
});

describe("Raft thesis §4.3 joint consensus", () => {
  /** A leader in the middle of moving from 1, 2, 3 to 1, 4, 5. */
  function jointLeader(): TestPeer {
    const leader = group(3).peer(1);
    leader.raft.proposeConfChange(
      change(
        [
          ["AddNode", 4],
          ["AddNode", 5],
          ["RemoveNode", 2],
          ["RemoveNode", 3],
        ],
        "JointExplicit",
      ),
    );
    leader.drain();
    acknowledge(leader, [2]);
    expect(leader.raft.confState).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [1, 2, 3] });
    return leader;
  }

  test.each([
    [[2, 3], false],
    [[4, 5], false],
    [[2], false],
    [[4], false],
    [[2, 4], true],
    [[3, 5], true],
  ])("an entry that %o have besides the leader is committed: %o", (others, committed) => {
    const leader = jointLeader();
    const before = leader.raft.commitIndex;
    leader.raft.propose(bytes("x"));
    leader.drain();
    acknowledge(leader, others);
    expect(leader.raft.commitIndex > before).toBe(committed);
  });

  test.each([
    [[2, 3], "Candidate"],
    [[4, 5], "Candidate"],
    [[2, 4], "Leader"],
  ])("a candidate with the votes of %o besides its own is a %s", (voters, role) => {
    const peer = jointLeader();
    peer.receive(buildMessage({ type: "MsgHeartbeat", from: 2, to: 1, term: 2 }));
    peer.raft.campaign();
    peer.drain();
    for (const from of voters) {
      peer.receive(buildMessage({ type: "MsgVoteResp", from, to: 1, term: 3 }));
    }
    expect(peer.raft).toMatchObject({ role, term: 3 });
  });

  test("is left by a change of its own, and only once", () => {
    const leader = jointLeader();
    leader.raft.proposeConfChange(change([]));
    leader.drain();
    acknowledge(leader, [2, 4]);
    expect(leader.raft.confState).toMatchObject({ voters: [1, 4, 5], votersOutgoing: [] });
    leader.raft.proposeConfChange(change([]));
    leader.drain();
    expect(leader.disk.allEntries().at(-1)).toMatchObject({ type: "Normal", data: new Uint8Array() });
  });

  test("is left by itself when the change says so, and peers that left do not vote any more", () => {
    const network = group(5);
    const leader = network.peer(1);
    const singles = [["AddNode", 4] as const, ["AddNode", 5] as const, ["RemoveNode", 3] as const];
    leader.raft.proposeConfChange(change(singles, "JointImplicit"));
    network.settle();
    for (const id of [1, 2, 4, 5]) {
      expect(network.peer(id).raft.confState).toMatchObject({ voters: [1, 2, 4, 5], votersOutgoing: [] });
    }
    expect(leader.raft.progressOf(peerId(3))).toBeUndefined();
  });

  test("a voter that is demoted becomes a learner when the joint configuration is left, not before", () => {
    const leader = group(3).peer(1);
    leader.raft.proposeConfChange(change([["AddLearnerNode", 3]], "JointExplicit"));
    leader.drain();
    acknowledge(leader, [2]);
    expect(leader.raft.confState).toMatchObject({
      voters: [1, 2],
      votersOutgoing: [1, 2, 3],
      learnersNext: [3],
    });
    leader.raft.proposeConfChange(change([]));
    leader.drain();
    acknowledge(leader, [2]);
    expect(leader.raft.confState).toMatchObject({ voters: [1, 2], learners: [3], learnersNext: [] });
  });
});
