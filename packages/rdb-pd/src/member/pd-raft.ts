import {
  type Clock,
  type Logger,
  type PeerId,
  type Random,
  RdbError,
  type Timer,
  assert,
  index,
} from "@flaredb/rdb-base";
import { type Entry, RawNode, type Ready } from "@flaredb/rdb-raft";
import { applyCommand } from "../command/apply.ts";
import { decodeCommand, encodeCommand } from "../command/command-codec.ts";
import type { CommandKind, CommandOf, CommandResults } from "../command/command.ts";
import type { CommandLog } from "./command-log.ts";
import { PendingProposals } from "./pending-proposals.ts";
import type { PdStorage } from "./pd-storage.ts";
import { randomId } from "./random-id.ts";

/** Most MsgApp in flight to one follower. */
const INFLIGHT_MAX_COUNT = 256;

export interface PdRaftOptions {
  readonly memberId: PeerId;
  readonly storage: PdStorage;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
}

/**
 * PD's own Raft group: a command is appended and synced, committed, applied to the durable state, and only then
 * answered. One member for now; nothing goes past the log, so that more are a matter of configuration.
 */
export class PdRaft implements CommandLog {
  readonly memberId: number;
  readonly #options: PdRaftOptions;
  readonly #storage: PdStorage;
  readonly #node: RawNode;
  readonly #pending: PendingProposals;
  /** A Ready is on its way to the disk; the next one comes after it. */
  #isPersisting = false;
  #isClosed = false;
  #lead: PeerId | 0 = 0;
  #isLeader = false;
  #tickTimer: Timer | undefined;
  #becomeServing: () => void = () => {};
  /** Resolves once this member leads and has applied everything that was committed before. */
  readonly serving: Promise<void> = new Promise((resolve) => {
    this.#becomeServing = resolve;
  });

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
      checkQuorum: true,
      preVote: true,
    });
  }

  get leaderMemberId(): number {
    return this.#lead;
  }

  get appliedIndex(): number {
    return this.#storage.appliedIndex;
  }

  /** A group of one waits for nobody: it campaigns at once. */
  start(): void {
    this.#scheduleTick();
    if (this.#storage.log.confState.voters.length === 1) {
      assert(this.#node.campaign() === "ok", "a lone voter may campaign");
    }
    this.#run();
  }

  propose<Kind extends CommandKind>(command: CommandOf<Kind>): Promise<CommandResults[Kind]> {
    if (this.#isClosed) {
      return Promise.reject(closedError());
    }
    if (!this.#isLeader) {
      return Promise.reject(
        new RdbError(
          "RDB_NOT_LEADER",
          `PD member ${this.memberId} does not lead, member ${this.#lead} does`,
          {
            details: { leaderMemberId: this.#lead },
          },
        ),
      );
    }
    const { id, answer } = this.#pending.open<CommandResults[Kind]>();
    const taken = this.#node.propose(encodeCommand(id, command));
    if (taken !== "ok") {
      const message = `the placement driver's log took no command: ${taken}`;
      this.#pending.settle(id, { refusal: new RdbError("RDB_SERVER_IS_BUSY", message) });
    }
    this.#run();
    return answer;
  }

  /** Fails what waits, writes everything and frees the folder. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tickTimer?.cancel();
    this.#pending.failAll(closedError());
    await this.#storage.close();
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#options.clock.setTimer(this.#options.tickMs, () => {
      this.#node.tick();
      this.#run();
      this.#scheduleTick();
    });
  }

  /** Takes Readys until one has to wait for the disk, or there is none. */
  #run(): void {
    while (!this.#isPersisting && !this.#isClosed && this.#node.hasReady()) {
      const ready = this.#node.ready();
      this.#noteLeader(ready);
      if (ready.entries.length === 0 && ready.hardState === undefined) {
        this.#finish(ready);
        continue;
      }
      this.#isPersisting = true;
      this.#storage.persist(ready, () => {
        this.#isPersisting = false;
        if (!this.#isClosed) {
          this.#finish(ready);
          this.#run();
        }
      });
    }
  }

  #finish(ready: Ready): void {
    assert(ready.messages.length === 0, "a group of one member sends nothing");
    assert(ready.snapshot === undefined, "a group of one member receives no snapshot");
    for (const entry of ready.committedEntries) {
      this.#apply(entry);
    }
    this.#node.advance();
  }

  #apply(entry: Entry): void {
    if (entry.type !== "Normal") {
      throw new RdbError(
        "RDB_DATA_FORMAT",
        `entry ${entry.index} of the placement driver's log changes its members, which this program cannot do: run a newer one`,
      );
    }
    if (entry.data.length > 0) {
      this.#applyCommandOf(entry);
    }
    this.#storage.writeApplied(entry);
    if (this.#isLeader && entry.term === this.#node.term) {
      this.#becomeServing();
    }
  }

  #applyCommandOf(entry: Entry): void {
    const { id, command } = decodeCommand(entry.data);
    try {
      this.#pending.settle(id, { result: applyCommand(this.#storage.state, command) });
    } catch (error) {
      if (!(error instanceof RdbError)) {
        throw error;
      }
      this.#pending.settle(id, { refusal: error });
    }
  }

  #noteLeader({ softState }: Ready): void {
    if (softState === undefined) {
      return;
    }
    const wasLeader = this.#isLeader;
    this.#lead = softState.lead;
    this.#isLeader = softState.role === "Leader";
    this.#options.logger.info(
      { peer: this.memberId, role: softState.role, lead: softState.lead, term: this.#node.term },
      "role in the placement driver's group",
    );
    if (wasLeader && !this.#isLeader) {
      this.#pending.failAll(
        new RdbError(
          "RDB_STALE_COMMAND",
          "the placement driver's leader changed: whether it was done is unknown",
        ),
      );
    }
  }
}

function closedError(): RdbError {
  return new RdbError("RDB_CLOSED", "the placement driver is stopping");
}

function raftLogger(logger: Logger) {
  return {
    debug: (message: string) => logger.debug({}, message),
    info: (message: string) => logger.debug({}, message),
    warn: (message: string) => logger.warn({}, message),
    error: (message: string) => logger.error({}, message),
  };
}
