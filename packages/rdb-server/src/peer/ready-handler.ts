import { type PeerId, assert, index } from "@flaredb/rdb-base";
import {
  type Entry,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type RawNode,
  type ReadState,
  type Snapshot,
  type SoftState,
} from "@flaredb/rdb-raft";
import { type Engine, type RaftLogStore, WritePart } from "@flaredb/rdb-storage";
import { AppendOrder, type AppendWork } from "./append-order.ts";

/** What the handler drives, and what it tells. */
export interface ReadyHandlerOwner {
  readonly engine: Engine;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  /** Entries of this many bytes went to the log. */
  appended(bytes: number): void;
  /** A part with these entries goes to the disk. @returns what is to be called when it is durable */
  appending(entries: readonly Entry[]): () => void;
  /** To another peer. */
  send(message: Message): void;
  applyIsPaused(): boolean;
  /** Applies to the state machine; when it returns, the entries' effects are visible. */
  apply(entries: readonly Entry[]): void;
  /** Replaces log and content by a snapshot's; `done` comes when it is durable. One at a time. */
  installSnapshot(message: Message, snapshot: Snapshot, done: () => void): void;
  readStates(states: readonly ReadState[]): void;
  softStateChanged(state: SoftState): void;
  /** The writer's news arrived: the peer wants a turn. */
  wantsTurn(): void;
  halt(error: unknown): void;
}

/** Most Readys of one peer in one turn: a peer that never comes to rest must not starve the others. */
const READY_MAX_COUNT = 64;

/**
 * Carries out what the core asks for, in the order that keeps promises: a leader's appends go out at once; votes and
 * append responses only when what they speak of is durable; committed entries are applied only when durable here
 * (SPEC R3, DESIGN §4). The core runs with asynchronous storage writes.
 */
export class ReadyHandler {
  readonly #owner: ReadyHandlerOwner;
  /** Apply work that waits for the writer to catch up, in order. */
  #pausedApplies: Message[] = [];
  /** What became durable since the last turn, in order. */
  #responses: Message[] = [];
  /** Parts and snapshots on their way to the disk. */
  readonly #order = new AppendOrder();
  /** The last commit index that came alone and was not written then; 0 before the first. */
  #skippedCommit = index(0);
  #installing = false;
  #stopped = false;

  constructor(owner: ReadyHandlerOwner) {
    this.#owner = owner;
  }

  /** Whether a snapshot is replacing the content now. */
  get isInstalling(): boolean {
    return this.#installing;
  }

  /** Whether everything asked for is durable and applied. */
  get isSettled(): boolean {
    return this.#order.isEmpty && this.#responses.length === 0 && this.#pausedApplies.length === 0;
  }

  /** The peer is gone: late news is ignored. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes the writer's news, then Readys until there is none. Called in the loop's turn. */
  run(): void {
    this.#takeNews();
    this.#resumeApplies();
    for (let count = 0; !this.#stopped && this.#owner.node.hasReady(); count++) {
      if (count === READY_MAX_COUNT) {
        this.#owner.wantsTurn();
        return;
      }
      this.#handleReady();
    }
  }

  #handleReady(): void {
    const { node } = this.#owner;
    const ready = node.ready();
    if (ready.softState !== undefined) {
      this.#owner.softStateChanged(ready.softState);
    }
    for (const message of ready.messages) {
      if (this.#stopped) {
        return;
      }
      if (message.to === LOCAL_APPEND_THREAD) {
        this.#append(message);
      } else if (message.to === LOCAL_APPLY_THREAD) {
        this.#apply(message);
      } else {
        this.#owner.send(message);
      }
    }
    if (ready.readStates.length > 0) {
      this.#owner.readStates(ready.readStates);
    }
  }

  #append(message: Message): void {
    if (message.snapshot !== undefined) {
      this.#install(message, message.snapshot);
      return;
    }
    const part = new WritePart();
    this.#addToPart(part, message);
    if (part.isEmpty && this.#order.isEmpty) {
      // Nothing of this peer is on its way: what the responses speak of is durable already.
      this.#responses.push(...message.responses);
      this.#takeNews();
      return;
    }
    this.#submit(part, message);
  }

  #addToPart(part: WritePart, message: Message): void {
    const { log } = this.#owner;
    const known = log.hardState;
    const hasHardState = message.term !== 0 || message.vote !== 0 || message.commit !== 0;
    const votes = hasHardState && (message.term !== known.term || message.vote !== known.vote);
    log.append(part, message.entries);
    this.#owner.appended(message.entries.reduce((bytes, entry) => bytes + entry.data.length, 0));
    if (hasHardState && (votes || message.entries.length > 0)) {
      assert(message.term !== 0, "a HardState has a term");
      log.setHardState(part, {
        term: message.term,
        vote: message.vote,
        commit: message.commit,
      } as typeof known);
    } else if (hasHardState) {
      // It only moves commit, which rides with the next entries: a restart takes the greater of it and applied.
      this.#skippedCommit = index(message.commit);
    } else if (message.entries.length > 0 && this.#skippedCommit > known.commit) {
      // The core tells it once. Whoever acknowledges these entries must know after a crash what it knew before them.
      log.setHardState(part, { ...known, commit: this.#skippedCommit });
    }
  }

  #submit(part: WritePart, { entries, responses }: Message): void {
    const work = this.#order.begin(responses);
    const durable = this.#owner.appending(entries);
    this.#owner.engine.submit(part, () => {
      durable();
      this.#written(work);
    });
  }

  #written(work: AppendWork): void {
    const answerable = this.#order.end(work);
    if (!this.#stopped) {
      this.#responses.push(...answerable);
      this.#owner.wantsTurn();
    }
  }

  #install(message: Message, snapshot: Snapshot): void {
    assert(!this.#installing, "a peer installs one snapshot at a time");
    this.#installing = true;
    this.#dropPausedApplies();
    const work = this.#order.begin(message.responses);
    this.#owner.installSnapshot(message, snapshot, () => {
      this.#installing = false;
      this.#written(work);
    });
  }

  /** What they would make is in the snapshot, and would spoil it now. */
  #dropPausedApplies(): void {
    const dropped = this.#pausedApplies;
    this.#pausedApplies = [];
    this.#responses.push(...dropped.flatMap((message) => message.responses));
  }

  #apply(message: Message): void {
    if (this.#pausedApplies.length > 0 || this.#owner.applyIsPaused()) {
      this.#pausedApplies.push(message);
      return;
    }
    this.#applyNow(message);
  }

  #resumeApplies(): void {
    while (this.#pausedApplies.length > 0 && !this.#stopped && !this.#owner.applyIsPaused()) {
      const message = this.#pausedApplies.shift();
      assert(message !== undefined, "a list that is not empty has a first element");
      this.#applyNow(message);
    }
  }

  #applyNow(message: Message): void {
    try {
      this.#owner.apply(message.entries);
    } catch (error) {
      // An entry that cannot be read must not be skipped: this peer would differ from the others.
      this.#stopped = true;
      this.#owner.halt(error);
      return;
    }
    this.#deliver(message.responses);
  }

  #takeNews(): void {
    const responses = this.#responses;
    this.#responses = [];
    this.#deliver(responses);
  }

  #deliver(responses: readonly Message[]): void {
    const id: PeerId = this.#owner.node.id;
    for (const response of responses) {
      if (response.to === id) {
        this.#owner.node.step(response);
      } else {
        this.#owner.send(response);
      }
    }
  }
}
