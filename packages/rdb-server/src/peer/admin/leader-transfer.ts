import type { Clock, Logger, PeerId } from "@flaredb/rdb-base";
import type { Message, RawNode } from "@flaredb/rdb-raft";

/** The leader that hands its leadership over. */
export interface LeaderTransferOwner {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly node: RawNode;
  readonly logger: Logger;
  readonly electionTimeoutMs: number;
  /** No message of this leader's goes out: its disk stalls. */
  heartbeatsAreHeld(): boolean;
  isAsleep(): boolean;
  /** A leader that slept sends heartbeats. */
  wake(): void;
  /** What was asked of the core is to be sent. */
  wantsTurn(): void;
  /** For log lines (SPEC R8). */
  raftFields(): Record<string, number>;
}

/** Who is to lead, and was asked whether it is there, or told to campaign. */
interface Asked {
  readonly to: PeerId;
  readonly term: number;
  readonly sinceMs: number;
}

/** How many election timeouts a successor may take to answer: of thousands that are asked at once the last one is late. */
const ANSWER_MAX_ELECTIONS = 5;

/**
 * Hands a leadership over to a peer that answers. From the moment when the core begins a transfer it takes no proposals,
 * for up to an election timeout (thesis §3.10): were the successor gone, and nobody had noticed yet, writes would stop
 * for as long. So the successor is sent a heartbeat first, and the transfer begins with its answer; meanwhile writes go
 * on. One that does not answer in time is not handed anything; who wants it asks again.
 */
export class LeaderTransfer {
  readonly #owner: LeaderTransferOwner;
  /** Waits for the answer. */
  #pending: Asked | undefined;
  /** The last transfer that was begun. */
  #begun: Asked | undefined;

  constructor(owner: LeaderTransferOwner) {
    this.#owner = owner;
  }

  /** Who was asked last, in this term, and had an election timeout to take over. */
  get unanswered(): PeerId | undefined {
    const { node, clock, electionTimeoutMs } = this.#owner;
    const asked = this.#pending ?? this.#begun;
    const isLate = asked?.term === node.term && clock.monotonicMs() - asked.sinceMs >= electionTimeoutMs;
    return isLate ? asked.to : undefined;
  }

  /**
   * The peer is to lead. Nothing happens where this one does not.
   *
   * @param isLeaving this leader ends soon, whoever follows: to wait for an answer would only cost time
   */
  ask(to: PeerId, isLeaving: boolean): void {
    const { node, clock } = this.#owner;
    if (!node.isLeader || to === node.id || to === node.leadTransferee) {
      return;
    }
    const hasSlept = this.#owner.isAsleep();
    this.#owner.wake();
    const nowMs = clock.monotonicMs();
    // With a disk that stalls nobody is to be told that this leader lives, and it can do nothing that a transfer stops.
    if (isLeaving || this.#owner.heartbeatsAreHeld()) {
      this.#begin(to);
      this.#owner.wantsTurn();
      return;
    }
    if (this.#pending?.to === to && this.#isOpen(this.#pending, nowMs)) {
      // Should the heartbeat be lost, another goes out soon anyway.
      return;
    }
    this.#noteUnanswered(nowMs);
    this.#pending = { to, term: node.term, sinceMs: nowMs };
    if (!hasSlept) {
      node.sendHeartbeats();
    }
    this.#owner.wantsTurn();
  }

  /** The core took this message. */
  heard(message: Message): void {
    const pending = this.#pending;
    if (pending?.to === message.from && pending.term === message.term && isAnswer(message)) {
      this.#pending = undefined;
      if (this.#isOpen(pending, this.#owner.clock.monotonicMs())) {
        this.#begin(pending.to);
      }
    }
  }

  #isOpen(pending: Asked, nowMs: number): boolean {
    const { node } = this.#owner;
    return node.isLeader && node.term === pending.term && !this.#isOver(pending, nowMs);
  }

  #isOver({ sinceMs }: Asked, nowMs: number): boolean {
    return nowMs - sinceMs >= ANSWER_MAX_ELECTIONS * this.#owner.electionTimeoutMs;
  }

  #begin(to: PeerId): void {
    const { node, logger, clock } = this.#owner;
    this.#pending = undefined;
    node.transferLeader(to);
    if (node.leadTransferee === to) {
      this.#begun = { to, term: node.term, sinceMs: clock.monotonicMs() };
      logger.info({ ...this.#owner.raftFields(), to }, "leadership is handed over");
    }
  }

  #noteUnanswered(nowMs: number): void {
    const pending = this.#pending;
    if (pending?.term === this.#owner.node.term && this.#isOver(pending, nowMs)) {
      const fields = { ...this.#owner.raftFields(), to: pending.to };
      this.#owner.logger.info(fields, "the peer that was to lead has not answered: the leadership stays");
    }
  }
}

function isAnswer({ type }: Message): boolean {
  return type === "MsgHeartbeatResp" || type === "MsgAppResp";
}
