import { assert, peerId, type PeerId } from "@flaredb/rdb-base";
import type { RaftConfig } from "../config.ts";
import type { ConfChangeTransition, ConfChangeType, ConfState, Message } from "../messages.ts";
import { bytes } from "./build-message.ts";
import { SafetyChecker } from "./safety-checker.ts";
import { SimPeer } from "./sim-peer.ts";

/** More messages in flight than this, and the oldest is lost. */
const MAX_IN_FLIGHT = 64;
const MAX_HEALING_ROUNDS = 2_000;

export interface SimGroupOptions {
  /** How many peers there are; the first `voterCount` vote to begin with. */
  readonly peerCount: number;
  readonly voterCount: number;
  /** The first so many peers, at least one, stay voters; the others come and go. */
  readonly steadyCount: number;
  readonly config: Partial<RaftConfig>;
}

/** What may happen next; `a` and `b` choose to whom, which message and how. */
export interface SimStep {
  readonly kind: SimStepKind;
  readonly a: number;
  readonly b: number;
}

export type SimStepKind =
  | "ready"
  | "local"
  | "append"
  | "apply"
  | "deliver"
  | "drop"
  | "duplicate"
  | "tick"
  | "propose"
  | "read"
  | "campaign"
  | "transfer"
  | "change"
  | "compact"
  | "restart"
  | "cut"
  | "heal";

/** A group of peers whose messages may be lost, repeated and reordered, and who may crash at any moment. */
export class SimGroup {
  readonly checker = new SafetyChecker();
  readonly peers: readonly SimPeer[];
  #inFlight: Message[] = [];
  #cut: ReadonlySet<PeerId> = new Set();
  #proposals = 0;
  readonly #steadyCount: number;

  constructor({ peerCount, voterCount, steadyCount, config }: SimGroupOptions) {
    this.#steadyCount = steadyCount;
    const ids = Array.from({ length: peerCount }, (_, at) => at + 1);
    const confState: ConfState = {
      voters: ids.slice(0, voterCount).map(peerId),
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    this.peers = ids.map((id) => new SimPeer({ id, confState, config, checker: this.checker }));
  }

  run(step: SimStep): void {
    const peer = this.#choose(step.a);
    switch (step.kind) {
      case "ready":
        return this.#send(peer.handleReady());
      case "local":
        return peer.receiveLocal();
      case "append":
        return this.#send(peer.runAppendThread());
      case "apply":
        return this.#send(peer.runApplyThread());
      case "deliver":
      case "drop":
      case "duplicate":
        return this.#pass(step);
      case "tick":
        return peer.act((raft) => raft.tick());
      case "propose":
        return peer.act((raft) => raft.propose(bytes(`p${this.#proposals++}`)));
      case "read":
        return peer.requestRead(bytes(`r${this.#proposals++}`));
      case "campaign":
        return peer.act((raft) => raft.campaign());
      case "transfer":
        return peer.act((raft) => raft.transferLeader(this.#choose(step.b).id));
      case "change":
        return this.#change(peer, step.b);
      case "compact":
        return peer.compact();
      case "restart":
        return peer.restart((step.b % 4) / 3);
      case "cut":
        this.#cut = new Set(this.peers.filter((_, at) => (step.b >> at) % 2 === 1).map(({ id }) => id));
        return;
      case "heal":
        this.#cut = new Set();
        return;
    }
  }

  /**
   * Lets everything work again, and proposes until one more entry is applied by all current voters.
   *
   * @throws AssertionError when that does not come about
   */
  converge(): void {
    this.#cut = new Set();
    const goal = this.checker.highestCommit + 1;
    for (let round = 0; !this.#hasConverged(goal); round++) {
      assert(round < MAX_HEALING_ROUNDS, `a healed group commits and applies entry ${goal}`);
      for (const peer of this.peers) {
        peer.act((raft) => raft.tick());
        if (peer.raft.isLeader && round % 10 === 0) {
          peer.act((raft) => raft.propose(bytes(`h${round}`)));
          this.#giveUpSnapshots(peer);
          this.#handOver(peer);
        }
      }
      this.#settle();
    }
  }

  /**
   * Whoever streams snapshots reports those that did not arrive in time, and makes a newer one: a peer refuses one
   * from before it was added.
   */
  #giveUpSnapshots(leader: SimPeer): void {
    for (const { id } of this.peers) {
      if (leader.raft.progressOf(id)?.state === "StateSnapshot") {
        leader.compact();
        leader.act((raft) => raft.reportSnapshot(id, "failure"));
      }
    }
  }

  /** A leader that was removed takes no proposals, and leads on until somebody else does. */
  #handOver(leader: SimPeer): void {
    const { voters } = leader.raft.confState;
    const [successor] = voters;
    if (successor !== undefined && !voters.includes(leader.id)) {
      leader.act((raft) => raft.transferLeader(successor));
    }
  }

  #hasConverged(goal: number): boolean {
    const leader = this.peers.find(({ raft }) => raft.isLeader && raft.commitIndex >= goal);
    const { voters = [] } = leader?.raft.confState ?? {};
    const members = this.peers.filter(({ id }) => voters.includes(id));
    return members.length > 0 && members.every(({ appliedIndex }) => appliedIndex >= goal);
  }

  /** Every peer's work and every message, once around. */
  #settle(): void {
    for (const peer of this.peers) {
      for (let turn = 0; turn < MAX_IN_FLIGHT && peer.hasLocalWork; turn++) {
        this.#send(peer.handleReady());
        this.#send(peer.runAppendThread());
        this.#send(peer.runApplyThread());
        peer.receiveLocal();
      }
    }
    for (const message of this.#inFlight.splice(0)) {
      this.#deliver(message);
    }
  }

  #pass({ kind, b }: SimStep): void {
    if (this.#inFlight.length === 0) {
      return;
    }
    // Most often one of the oldest: wholly random orders seldom get anywhere.
    const at = b % 3 === 0 ? b % this.#inFlight.length : 0;
    const [message] = kind === "duplicate" ? this.#inFlight.slice(at, at + 1) : this.#inFlight.splice(at, 1);
    if (message !== undefined) {
      this.#deliver(message, kind === "drop");
    }
  }

  #deliver(message: Message, isLost = false): void {
    const isCut = this.#cut.has(message.from as PeerId) !== this.#cut.has(message.to as PeerId);
    if (!isCut && !isLost) {
      this.#send(this.#choose(message.to - 1).receive(message));
    } else if (message.type === "MsgSnap") {
      this.#choose(message.from - 1).act((raft) => raft.reportSnapshot(message.to as PeerId, "failure"));
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.checker.sawMessage(message);
      this.#inFlight.push(message);
    }
    this.#inFlight = this.#inFlight.slice(-MAX_IN_FLIGHT);
  }

  #change(peer: SimPeer, choice: number): void {
    const types: readonly ConfChangeType[] = ["AddNode", "RemoveNode", "AddLearnerNode", "AddNode"];
    const transitions: readonly ConfChangeTransition[] = ["Auto", "JointImplicit", "JointExplicit"];
    // One in four leaves a joint configuration.
    const count = choice % 4;
    const changes = Array.from({ length: count }, (_, at) => ({
      type: pick(types, (choice >> 2) + at),
      nodeId: pick(this.peers.slice(this.#steadyCount), (choice >> 4) + at).id,
    }));
    const transition = count === 0 ? "Auto" : pick(transitions, choice >> 6);
    peer.act((raft) =>
      raft.proposeConfChange({ version: 2, transition, changes, context: new Uint8Array() }),
    );
  }

  #choose(choice: number): SimPeer {
    return pick(this.peers, choice);
  }
}

function pick<Item>(items: readonly Item[], choice: number): Item {
  const item = items[choice % items.length];
  assert(item !== undefined, "there is something to choose from");
  return item;
}
