import { assert, peerId, SeededRandom, type PeerId, type Random } from "@flaredb/rdb-base";
import { decodeConfChange } from "../conf-change/codec.ts";
import type { RaftConfig, RaftLogger } from "../config.ts";
import type { ConfState, Entry, HardState, Message } from "../messages.ts";
import { RawNode } from "../raw-node.ts";
import type { ReadState } from "../ready.ts";
import { buildLog, buildMessage } from "./build-message.ts";
import { TestDisk } from "./test-disk.ts";

export const ELECTION_TICKS = 10;
const MAX_READIES = 1_000;

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };

export interface TestPeerOptions {
  readonly id: number;
  /** Default: 1, 2, 3. */
  readonly voters?: readonly number[];
  readonly learners?: readonly number[];
  /** The log to start with: the term of each entry, the first of which has index 1. */
  readonly log?: readonly number[];
  readonly hardState?: { readonly term?: number; readonly vote?: number; readonly commit?: number };
  readonly config?: Partial<RaftConfig>;
  readonly random?: Random;
}

/** One peer with a disk, driven by hand; synchronous storage. */
export class TestPeer {
  readonly disk: TestDisk;
  readonly raft: RawNode;
  /** Every entry that was handed out to be applied, in order. */
  readonly applied: Entry[] = [];
  readonly readStates: ReadState[] = [];
  readonly #options: TestPeerOptions;

  constructor(options: TestPeerOptions, disk: TestDisk = newDisk(options)) {
    this.#options = options;
    this.disk = disk;
    this.raft = new RawNode({
      id: peerId(options.id),
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      storage: disk,
      random: options.random ?? new SeededRandom(options.id),
      logger: silent,
      maxInflightMessages: 256,
      ...options.config,
    });
  }

  get id(): PeerId {
    return this.raft.id;
  }

  /** A peer that knows what is on this one's disk and nothing else. */
  restart(): TestPeer {
    return new TestPeer(this.#options, this.disk);
  }

  /** Does the work of every Ready: persists, applies, advances. Returns what it sends, in order. */
  drain(): Message[] {
    const sent: Message[] = [];
    for (let count = 0; this.raft.hasReady(); count++) {
      assert(count < MAX_READIES, `a peer settles within ${MAX_READIES} Readies`);
      sent.push(...this.handleReady());
    }
    return sent;
  }

  /** Does the work of one Ready. */
  handleReady(): readonly Message[] {
    const ready = this.raft.ready();
    if (ready.hardState !== undefined) {
      this.disk.log.setHardState(ready.hardState);
    }
    if (ready.snapshot !== undefined) {
      this.disk.log.applySnapshot(ready.snapshot);
    }
    this.disk.log.append(ready.entries);
    this.readStates.push(...ready.readStates);
    for (const entry of ready.committedEntries) {
      this.#apply(entry);
    }
    this.raft.advance();
    return ready.messages;
  }

  /** Steps a message from another peer and does the work that follows. Returns what it sends. */
  receive(message: Message): Message[] {
    this.raft.step(message);
    return this.drain();
  }

  tick(times: number): void {
    for (let count = 0; count < times; count++) {
      this.raft.tick();
    }
  }

  /** Makes it a leader of the next term by every other voter's vote. Returns what it sends as one. */
  becomeLeader(): Message[] {
    const others = this.raft.confState.voters.filter((id) => id !== this.id);
    this.raft.campaign();
    const sent = this.drain();
    for (const from of others) {
      sent.push(
        ...this.receive(buildMessage({ type: "MsgVoteResp", from, to: this.id, term: this.raft.term })),
      );
    }
    assert(this.raft.isLeader, "every voter's vote makes a leader");
    return sent;
  }

  #apply(entry: Entry): void {
    this.applied.push(entry);
    const change = decodeConfChange(entry.type, entry.data);
    if (change !== undefined) {
      this.raft.applyConfChange(change);
    }
  }
}

/** What a follower that has everything answers to an append. */
export function acceptAppend(message: Message): Message {
  assert(message.type === "MsgApp", "only an append is accepted");
  const { from, to, term, index, entries } = message;
  return buildMessage({ type: "MsgAppResp", from: to, to: from, term, index: index + entries.length });
}

function newDisk({ voters = [1, 2, 3], learners = [], log = [], hardState }: TestPeerOptions): TestDisk {
  const confState: ConfState = {
    voters: voters.map(peerId),
    learners: learners.map(peerId),
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  const disk = new TestDisk(confState);
  disk.log.append(buildLog(log));
  disk.log.setHardState({ term: log.at(-1) ?? 0, vote: 0, commit: 0, ...hardState } as HardState);
  return disk;
}
