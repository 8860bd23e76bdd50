import { assert, peerId, SeededRandom, type Index, type PeerId } from "@flaredb/rdb-base";
import { decodeConfChange } from "../conf-change/codec.ts";
import type { RaftConfig, RaftLogger } from "../config.ts";
import {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type ConfState,
  type Entry,
  type HardState,
  type Message,
  type Snapshot,
} from "../messages.ts";
import { RawNode } from "../raw-node.ts";
import type { Ready } from "../ready.ts";
import type { LogView, SafetyChecker } from "./safety-checker.ts";
import { appended, SimDisk } from "./sim-disk.ts";
import { describeMachine, machineData, machineOf, nextMachine, type SimMachine } from "./sim-machine.ts";

const silent: RaftLogger = { debug() {}, info() {}, warn() {}, error() {} };

export interface SimPeerOptions {
  readonly id: number;
  readonly confState: ConfState;
  readonly config: Partial<RaftConfig>;
  readonly checker: SafetyChecker;
}

/** One peer of a simulated group: the core, a disk that may forget, a state machine, and its storage threads. */
export class SimPeer {
  readonly id: PeerId;
  raft: RawNode;
  /** Messages from its own storage threads and itself: delivered in order, lost only in a crash. */
  #inbox: Message[] = [];
  #appendWork: Message[] = [];
  #applyWork: Message[] = [];
  #outbox: Message[] = [];
  #machine: SimMachine;
  /** Up to here the state comes with a snapshot; what was handed out to be applied before is not applied any more. */
  #installedIndex: number;
  #log: LogView;
  /** The term of its own leadership that was looked at last. */
  #checkedTerm = 0;
  /** What each read request must at least see. */
  readonly #reads = new Map<string, number>();
  readonly #options: SimPeerOptions;
  readonly #disk: SimDisk;
  #restarts = 0;

  constructor(options: SimPeerOptions) {
    this.#options = options;
    this.id = peerId(options.id);
    this.#disk = new SimDisk(options.confState);
    this.#machine = machineOf(this.#disk.snapshot);
    this.#installedIndex = this.#machine.index;
    this.#log = viewOf(this.#disk);
    this.raft = this.#newRaft();
  }

  get appliedIndex(): Index {
    return this.#machine.index;
  }

  get hasLocalWork(): boolean {
    return this.#inbox.length + this.#appendWork.length + this.#applyWork.length > 0 || this.raft.hasReady();
  }

  /** Runs one thing that the core does, then looks at what became of it. */
  act(action: (raft: RawNode) => void): void {
    action(this.raft);
    this.#observe();
  }

  /** Takes a Ready, if there is one, and does or queues its work. Returns what goes to other peers. */
  handleReady(): readonly Message[] {
    if (!this.raft.hasReady()) {
      return [];
    }
    const ready = this.raft.ready();
    this.#see(ready);
    if (this.#options.config.asyncStorageWrites !== true) {
      // mustSync speaks of the hard state and the entries; a snapshot is always synced.
      this.#disk.write(ready, ready.mustSync || ready.snapshot !== undefined);
      this.#install(ready.snapshot);
      this.#apply(ready.committedEntries);
      this.act((raft) => raft.advance());
    }
    return this.#send(ready.messages);
  }

  /** Does one item of the append thread; durable when it is done. */
  runAppendThread(): readonly Message[] {
    const message = this.#appendWork.shift();
    if (message === undefined) {
      return [];
    }
    this.#disk.write({ ...message, hardState: hardStateOf(message) }, true);
    this.#install(message.snapshot);
    return this.#send(message.responses);
  }

  /** Does one item of the apply thread. */
  runApplyThread(): readonly Message[] {
    const message = this.#applyWork.shift();
    if (message === undefined) {
      return [];
    }
    this.#apply(message.entries);
    return this.#send(message.responses);
  }

  /** Delivers the oldest message of its own. */
  receiveLocal(): void {
    const message = this.#inbox.shift();
    if (message !== undefined) {
      this.act((raft) => raft.step(message));
    }
  }

  /** Steps a message. Returns what that sends at once. */
  receive(message: Message): readonly Message[] {
    this.act((raft) => raft.step(message));
    // The core's configuration is the snapshot's from here on, so nothing older may be applied in between.
    return message.type === "MsgSnap" ? this.handleReady() : [];
  }

  requestRead(context: Uint8Array): void {
    this.#reads.set(context.join(), this.#options.checker.highestCommit);
    this.act((raft) => raft.readIndex(context));
  }

  /** Replaces the log's head by a snapshot of the state machine. */
  compact(): void {
    const { index, confState } = this.#machine;
    if (index <= this.#disk.snapshot.metadata.index || index > this.#disk.storage.lastIndex()) {
      return;
    }
    const term = this.#disk.storage.term(index);
    assert(typeof term === "number", `the applied entry ${index} is in the log`);
    this.#disk.compact({ metadata: { index, term, confState }, data: machineData(this.#machine) });
  }

  /** Loses everything that is not durable, and starts again. `keptPart`: how much of the unsynced writes survives. */
  restart(keptPart: number): void {
    this.#disk.crash(Math.floor(keptPart * (this.#disk.unsyncedCount + 1)));
    this.#inbox = [];
    this.#appendWork = [];
    this.#applyWork = [];
    this.#reads.clear();
    this.#machine = machineOf(this.#disk.snapshot);
    this.#installedIndex = this.#machine.index;
    this.#log = viewOf(this.#disk);
    this.#restarts++;
    this.raft = this.#newRaft();
  }

  #newRaft(): RawNode {
    return new RawNode({
      id: this.id,
      electionTicks: 5,
      heartbeatTicks: 1,
      maxInflightMessages: 4,
      storage: this.#disk.storage,
      random: new SeededRandom(this.id * 1_000 + this.#restarts),
      logger: silent,
      applied: this.#machine.index,
      ...this.#options.config,
    });
  }

  #queueFor(message: Message): Message[] {
    if (message.to === LOCAL_APPEND_THREAD) {
      return this.#appendWork;
    }
    if (message.to === LOCAL_APPLY_THREAD) {
      return this.#applyWork;
    }
    return message.to === this.id ? this.#inbox : this.#outbox;
  }

  /** Queues what stays here; returns what goes to other peers. */
  #send(messages: readonly Message[]): readonly Message[] {
    for (const message of messages) {
      this.#queueFor(message).push(message);
    }
    return this.#outbox.splice(0);
  }

  /** Takes over a leader's snapshot as the state machine's content. */
  #install(snapshot: Snapshot | undefined): void {
    if (snapshot !== undefined) {
      this.#machine = machineOf(snapshot);
      this.#options.checker.sawState(this.#machine.index, describeMachine(this.#machine));
    }
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries.filter(({ index }) => index > this.#installedIndex)) {
      assert(
        entry.index === this.#machine.index + 1,
        `entry ${entry.index} is applied after ${this.#machine.index}`,
      );
      const change = decodeConfChange(entry.type, entry.data);
      const confState = change === undefined ? this.#machine.confState : this.raft.applyConfChange(change);
      this.#machine = nextMachine(this.#machine, entry, confState);
      this.#options.checker.sawState(entry.index, describeMachine(this.#machine));
    }
  }

  /** Tells the checker what a Ready shows. */
  #see({ entries, snapshot, committedEntries, readStates }: Ready): void {
    const { checker } = this.#options;
    this.#log = nextView(this.#log, snapshot, entries);
    this.#installedIndex = snapshot?.metadata.index ?? this.#installedIndex;
    checker.sawEntries(this.#log);
    if (this.raft.isLeader && this.raft.term > this.#checkedTerm) {
      // Its first Ready as a leader shows all of its log.
      this.#checkedTerm = this.raft.term;
      checker.sawLeaderLog(this.id, this.raft.term, this.#log);
    }
    committedEntries.forEach((entry) => checker.sawCommitted(entry, this.raft.term));
    for (const { index, requestContext } of readStates) {
      const floor = this.#reads.get(requestContext.join());
      if (floor !== undefined) {
        checker.sawRead(index, floor);
      }
    }
  }

  #observe(): void {
    const { checker } = this.#options;
    checker.sawCommitIndex(this.raft.commitIndex);
    if (this.raft.isLeader) {
      checker.sawLeader(this.id, this.raft.term);
    }
  }
}

function viewOf(disk: SimDisk): LogView {
  const { index, term } = disk.snapshot.metadata;
  const end = (disk.storage.lastIndex() + 1) as Index;
  const entries =
    end === disk.storage.firstIndex()
      ? []
      : disk.storage.entries(disk.storage.firstIndex(), end, Number.MAX_SAFE_INTEGER);
  assert(typeof entries !== "string", "a restarted peer reads its whole log");
  return { baseIndex: index, baseTerm: term, entries };
}

function nextView(view: LogView, snapshot: Snapshot | undefined, entries: readonly Entry[]): LogView {
  if (snapshot !== undefined) {
    return { baseIndex: snapshot.metadata.index, baseTerm: snapshot.metadata.term, entries };
  }
  return { ...view, entries: appended(view.entries, entries) };
}

/** The hard state that a MsgStorageAppend carries; all zero stands for none. */
function hardStateOf({ term, vote, commit }: Message): HardState | undefined {
  return term === 0 && vote === 0 && commit === 0 ? undefined : ({ term, vote, commit } as HardState);
}
