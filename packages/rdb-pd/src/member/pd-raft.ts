import {
  type Clock,
  type Logger,
  MiB,
  type PeerId,
  type Random,
  RdbError,
  type Timer,
  assert,
  index,
} from "@flaredb/rdb-base";
import {
  type ConfChange,
  type ConfState,
  type Entry,
  type Message,
  RawNode,
  type Ready,
  type Role,
  decodeConfChange,
} from "@flaredb/rdb-raft";
import { applyCommand } from "../command/apply.ts";
import { decodeCommand, encodeCommand } from "../command/command-codec.ts";
import type { CommandKind, CommandOf, CommandResults } from "../command/command.ts";
import { versionRefusal } from "./command-gate.ts";
import type { PdMetrics } from "../metrics/pd-metrics.ts";
import type { CommandLog } from "./command-log.ts";
import { lostDataError, removedError } from "./member-check.ts";
import { closedError, leaderChangedError, notLeaderError } from "./member-errors.ts";
import { PendingProposals } from "./pending-proposals.ts";
import type { PdStorage } from "./pd-storage.ts";
import { randomId } from "./random-id.ts";

/** Most MsgApp in flight to one follower. */
const INFLIGHT_MAX_COUNT = 256;
const MESSAGE_MAX_BYTES = 1 * MiB;

/** Told when this member begins and ceases to lead. Must not throw. */
export interface LeadershipWatcher {
  /** It leads, and has applied everything that was committed before. */
  leads(): void;
  /** It does not lead any more. */
  follows(): void;
  /** Something was applied, or another member leads. */
  advanced(): void;
}

export interface PdRaftOptions {
  readonly memberId: PeerId;
  readonly storage: PdStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
  /** Takes what other members are to get; what it drops, the group makes up for. @returns whether it was taken */
  readonly send: (message: Message) => boolean;
  /** This member cannot go on: the group took it out, or it lacks what it has said to have. */
  readonly onExcluded: (error: RdbError) => void;
  /** Default: nobody looks. */
  readonly metrics?: Pick<PdMetrics, "proposals"> | undefined;
}

/**
 * PD's own Raft group, as one member has it: a command is appended and synced, committed, applied to the durable
 * state, and only then answered.
 */
export class PdRaft implements CommandLog {
  readonly memberId: PeerId;
  readonly #options: PdRaftOptions;
  readonly #storage: PdStorage;
  readonly #node: RawNode;
  readonly #pending: PendingProposals;
  #watcher: LeadershipWatcher = { leads: () => {}, follows: () => {}, advanced: () => {} };
  /** A Ready is on its way to the disk; the next one comes after it. */
  #isPersisting = false;
  #isRunning = false;
  #isClosed = false;
  /** As noted last: who leads, and what this member is. */
  #lead: PeerId | 0 = 0;
  #role: Role = "Follower";
  /** The watcher was told so. */
  #isServing = false;
  #tickTimer: Timer | undefined;
  #tickCount = 0;
  /** The tick at which each member was heard of last. */
  readonly #heardTicks = new Map<PeerId, number>();

  constructor(options: PdRaftOptions) {
    const { memberId, storage, random, logger } = options;
    this.#options = options;
    this.memberId = memberId;
    this.#storage = storage;
    this.#pending = new PendingProposals(randomId(random));
    this.#node = new RawNode({
      id: memberId,
      electionTicks: options.electionTicks,
      heartbeatTicks: options.heartbeatTicks,
      storage: storage.log,
      random,
      logger: raftLogger(logger),
      applied: index(storage.appliedIndex),
      maxInflightMessages: INFLIGHT_MAX_COUNT,
      maxSizePerMessageBytes: MESSAGE_MAX_BYTES,
      checkQuorum: true,
      preVote: true,
      disableProposalForwarding: true,
      stepDownOnRemoval: true,
      drawElectionTimeoutTicks: (ticks) => this.#drawElectionTimeoutTicks(ticks),
    });
  }

  get leaderMemberId(): number {
    return this.#lead;
  }

  get appliedIndex(): number {
    return this.#storage.appliedIndex;
  }

  /** Who votes, as far as applied here. */
  get confState(): ConfState {
    return this.#node.confState;
  }

  /** Whether nobody else has a part in the group. */
  get isAlone(): boolean {
    const { voters, learners } = this.confState;
    return voters.length === 1 && voters[0] === this.memberId && learners.length === 0;
  }

  /**
   * On a leader: whether it heard of the member within the last election timeout, and how far that member's log is known
   * to be its own. Raft's own `recentActive` begins anew at each check of the quorum, so that for a moment nobody is.
   */
  progressOf(id: PeerId): { readonly isUp: boolean; readonly matchIndex: number } | undefined {
    const progress = this.#node.progressOf(id);
    const heardTick = this.#heardTicks.get(id);
    const isHeard = heardTick !== undefined && this.#tickCount - heardTick <= this.#options.electionTicks;
    const isUp = id === this.memberId || isHeard;
    return progress === undefined ? undefined : { isUp, matchIndex: progress.match };
  }

  /** Before `start`. */
  watch(watcher: LeadershipWatcher): void {
    this.#watcher = watcher;
  }

  /** A group of one waits for nobody: it campaigns at once. */
  start(): void {
    this.#scheduleTick();
    if (this.isAlone) {
      assert(this.#node.campaign() === "ok", "a lone voter may campaign");
    }
    this.#run();
  }

  propose<Kind extends CommandKind>(command: CommandOf<Kind>): Promise<CommandResults[Kind]> {
    return this.#propose(command, (data) => this.#node.propose(data));
  }

  /**
   * As `propose`, for a command that goes with a change of the group: both are applied by the same entry. One at a
   * time.
   *
   * @throws RdbError RDB_SERVER_IS_BUSY while another change is not applied yet
   */
  proposeChange<Kind extends CommandKind>(
    changes: Extract<ConfChange, { readonly version: 2 }>["changes"],
    command: CommandOf<Kind>,
  ): Promise<CommandResults[Kind]> {
    return this.#propose(command, (context) => {
      const { pendingConfIndex, appliedIndex } = this.#node;
      if (pendingConfIndex > appliedIndex || this.confState.votersOutgoing.length > 0) {
        return "another change of the members is on its way";
      }
      return this.#node.proposeConfChange({ version: 2, transition: "Auto", changes, context });
    });
  }

  /** Hands leadership to another voter; given up after an election timeout. */
  transferLeader(to: PeerId): void {
    this.#node.transferLeader(to);
    this.#run();
  }

  /** Takes what another member sent. */
  step(message: Message): void {
    if (this.#isClosed) {
      return;
    }
    if (message.type === "MsgHeartbeat" && message.commit > this.#node.lastIndex) {
      // A leader says only what its follower has acknowledged to have on disk.
      this.#options.onExcluded(lostDataError(this.memberId, message.commit, this.#node.lastIndex));
      return;
    }
    if (message.from !== 0 && this.#node.progressOf(message.from) !== undefined) {
      this.#heardTicks.set(message.from, this.#tickCount);
    }
    this.#node.step(message);
    this.#run();
  }

  /** What was sent to the member may be lost. */
  reportUnreachable(id: PeerId): void {
    if (!this.#isClosed) {
      this.#node.reportUnreachable(id);
    }
  }

  /** Fails what waits, writes everything and frees the folder. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tickTimer?.cancel();
    this.#pending.failAll(closedError());
    await this.#storage.close();
  }

  #propose<Kind extends CommandKind>(
    command: CommandOf<Kind>,
    take: (data: Uint8Array) => string,
  ): Promise<CommandResults[Kind]> {
    if (this.#isClosed) {
      return Promise.reject(closedError());
    }
    this.#noteLoss();
    if (this.#role !== "Leader") {
      return Promise.reject(notLeaderError(this.memberId, this.#lead, this.#storage.state));
    }
    const tooNew = versionRefusal(command, this.#storage.state.clusterVersion);
    if (tooNew !== undefined) {
      return Promise.reject(tooNew);
    }
    const { id, answer } = this.#pending.open<CommandResults[Kind]>();
    const taken = take(encodeCommand(id, command));
    if (taken !== "ok") {
      const message = `the placement driver's log took no command: ${taken}`;
      this.#pending.settle(id, { refusal: new RdbError("RDB_SERVER_IS_BUSY", message) });
    }
    this.#run();
    this.#count(answer);
    return answer;
  }

  #count(answer: Promise<unknown>): void {
    const proposals = this.#options.metrics?.proposals;
    if (proposals !== undefined) {
      const count = (outcome: "applied" | "failed") => (): void => {
        proposals[outcome].value++;
      };
      void answer.then(count("applied"), count("failed"));
    }
  }

  /**
   * Each voter has its own slice of the span, of which it uses the first half, so that those who are left do not tie; a
   * tick later than the others' contact with the old leader lapses, so that they may answer.
   */
  #drawElectionTimeoutTicks(electionTicks: number): number {
    const voters = [...this.#storage.log.confState.voters].sort((a, b) => a - b);
    const place = Math.max(0, voters.indexOf(this.memberId));
    const within = place + this.#options.random.nextFraction() / 2;
    return electionTicks + 1 + Math.floor((electionTicks * within) / Math.max(1, voters.length));
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#options.clock.setTimer(this.#options.tickMs, () => {
      this.#tickCount++;
      this.#node.tick();
      this.#run();
      this.#scheduleTick();
    });
  }

  /** Takes Readys until one has to wait for the disk, or there is none. */
  #run(durable?: Ready): void {
    // What a Ready sets off may come back here; the loop that runs sees to it.
    if (this.#isRunning) {
      return;
    }
    this.#isRunning = true;
    if (durable !== undefined) {
      this.#finish(durable);
    }
    while (!this.#isPersisting && !this.#isClosed && this.#node.hasReady()) {
      const ready = this.#node.ready();
      this.#noteRole();
      if (ready.entries.length === 0 && ready.hardState === undefined && ready.snapshot === undefined) {
        this.#finish(ready);
        continue;
      }
      this.#isPersisting = true;
      this.#storage.persist(ready, () => {
        this.#isPersisting = false;
        if (!this.#isClosed) {
          this.#run(ready);
        }
      });
    }
    this.#isRunning = false;
    this.#noteLoss();
  }

  /** Votes, answers and appends go out only now that what they rest on is durable. */
  #finish(ready: Ready): void {
    const snapshots: (readonly [PeerId, "finish" | "failure"])[] = [];
    for (const message of ready.messages) {
      assert(message.to !== 0, "a message is for a member");
      const isTaken = this.#options.send(message);
      if (message.type === "MsgSnap") {
        snapshots.push([message.to, isTaken ? "finish" : "failure"]);
      }
    }
    for (const entry of ready.committedEntries) {
      this.#apply(entry);
    }
    this.#node.advance();
    // What follows a snapshot is probed: when it was lost on its way, the answer asks for another one.
    for (const [id, status] of snapshots) {
      this.#node.reportSnapshot(id, status);
    }
    this.#watcher.advanced();
  }

  #apply(entry: Entry): void {
    const change = decodeConfChange(entry.type, entry.data);
    if (change === undefined) {
      this.#applyCommand(entry.data);
      this.#storage.writeApplied(entry);
    } else {
      const confState = this.#node.applyConfChange(change);
      this.#applyCommand(change.context);
      this.#storage.writeApplied(entry, confState);
      this.#options.logger.info({ ...confState }, "the placement driver's members changed");
      if (this.#storage.state.members.get(this.memberId)?.isRemoved === true) {
        this.#options.onExcluded(removedError(this.memberId));
      }
    }
    if (this.#role === "Leader" && !this.#isServing && entry.term === this.#node.term) {
      this.#isServing = true;
      this.#watcher.leads();
    }
  }

  #applyCommand(data: Uint8Array): void {
    if (data.length === 0) {
      return;
    }
    const { id, command } = decodeCommand(data);
    try {
      this.#pending.settle(id, { result: applyCommand(this.#storage.state, command) });
    } catch (error) {
      if (!(error instanceof RdbError)) {
        throw error;
      }
      this.#pending.settle(id, { refusal: error });
    }
  }

  /**
   * Ceasing to lead counts at once: no Ready is taken while the disk stands still, and another member may lead by then.
   * Beginning to lead waits for a Ready.
   */
  #noteLoss(): void {
    if (!this.#node.isLeader) {
      this.#noteRole();
    }
  }

  #noteRole(): void {
    const { lead, role, term } = this.#node;
    if (lead === this.#lead && role === this.#role) {
      return;
    }
    this.#lead = lead;
    this.#role = role;
    this.#options.logger.info(
      { peer: this.memberId, role, lead, term },
      "role in the placement driver's group",
    );
    if (role !== "Leader") {
      this.#pending.failAll(leaderChangedError());
      if (this.#isServing) {
        this.#isServing = false;
        this.#watcher.follows();
      }
    }
  }
}

function raftLogger(logger: Logger) {
  return {
    debug: (message: string) => logger.debug({}, message),
    info: (message: string) => logger.debug({}, message),
    warn: (message: string) => logger.warn({}, message),
    error: (message: string) => logger.error({}, message),
  };
}
