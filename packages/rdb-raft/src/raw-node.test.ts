import { index, type PeerId, peerId, SeededRandom, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { asV2 } from "./conf-change/conf-change.ts";
import { decodeConfChange } from "./conf-change/codec.ts";
import type { RaftConfig, RaftLogger } from "./config.ts";
import { EMPTY_CONF_STATE } from "./empty-state.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { type Entry, LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "./messages.ts";
import { newMessage } from "./new-message.ts";
import { RawNode } from "./raw-node.ts";
import type { Ready } from "./ready.ts";

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const ids = (...values: number[]): PeerId[] => values.map(peerId);

/** A peer with a driver that does everything at once. */
class TestPeer {
  readonly storage = new MemoryStorage();
  readonly node: RawNode;
  readonly applied: Entry[] = [];
  readonly #config: RaftConfig;

  constructor(id: number, overrides: Partial<RaftConfig> = {}) {
    const confState = { ...EMPTY_CONF_STATE, voters: ids(1, 2, 3) };
    this.storage.applySnapshot({
      metadata: { confState, index: index(1), term: term(1) },
      data: new Uint8Array(0),
    });
    this.#config = {
      id: peerId(id),
      electionTicks: 10,
      heartbeatTicks: 1,
      storage: this.storage,
      random: new SeededRandom(id),
      logger: silent,
      maxInflightMessages: 256,
      ...overrides,
    };
    this.node = new RawNode(this.#config);
  }

  /** Does the work of every Ready. Returns what is for other peers. */
  work(): Message[] {
    const out: Message[] = [];
    while (this.node.hasReady()) {
      const ready = this.node.ready();
      if (this.#config.asyncStorageWrites) {
        out.push(...this.#workAsync(ready));
      } else {
        this.#persist(ready);
        this.#apply(ready.committedEntries);
        out.push(...ready.messages);
        this.node.advance();
      }
    }
    return out;
  }

  #workAsync(ready: Ready): Message[] {
    const out: Message[] = [];
    for (const message of ready.messages) {
      if (message.to === LOCAL_APPEND_THREAD) {
        const { term: at, vote, commit } = message;
        const hardState = at === 0 ? undefined : { term: term(at), vote, commit: index(commit) };
        this.#persist({ hardState, snapshot: message.snapshot, entries: message.entries });
      } else if (message.to === LOCAL_APPLY_THREAD) {
        this.#apply(message.entries);
      } else {
        out.push(message);
      }
      for (const response of message.responses) {
        if (response.to === this.node.id) {
          this.node.step(response);
        } else {
          out.push(response);
        }
      }
    }
    return out;
  }

  #persist({ hardState, snapshot, entries }: Pick<Ready, "hardState" | "snapshot" | "entries">): void {
    if (hardState !== undefined) {
      this.storage.setHardState(hardState);
    }
    if (snapshot !== undefined) {
      this.storage.applySnapshot(snapshot);
    }
    this.storage.append(entries);
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.applied.push(entry);
      const change = decodeConfChange(entry.type, entry.data);
      if (change !== undefined) {
        this.node.applyConfChange({ version: 2, ...asV2(change) });
      }
    }
  }
}

/** Delivers until nobody has anything to say. */
function settle(peers: readonly TestPeer[]): void {
  for (;;) {
    const messages = peers.flatMap((peer) => peer.work());
    if (messages.length === 0) {
      return;
    }
    for (const message of messages) {
      peers.find((peer) => peer.node.id === message.to)?.node.step(message);
    }
  }
}

function group(overrides: Partial<RaftConfig> = {}): [TestPeer, TestPeer, TestPeer] {
  const peers: [TestPeer, TestPeer, TestPeer] = [
    new TestPeer(1, overrides),
    new TestPeer(2, overrides),
    new TestPeer(3, overrides),
  ];
  peers[0].node.campaign();
  settle(peers);
  return peers;
}

const dataOf = (peer: TestPeer): string[] =>
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
    expect(new TestPeer(1).node.propose(utf8("a"))).toBe("proposal-dropped");
  });
});
