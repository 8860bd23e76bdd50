import type { Clock, Logger, PeerId } from "@flaredb/rdb-base";
import type { Message, RawNode } from "@flaredb/rdb-raft";

/** The leader that hands its leadership over. */
export interface LeaderTransferOwner {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly node: RawNode;
  readonly logger: Logger;
  /** How long a successor may take to answer. */
  readonly electionTimeoutMs: number;
  /** No message of this leader's goes out: its disk stalls. */
  heartbeatsAreHeld(): boolean;
  wake(): void;
  /** What was asked of the core is to be sent. */
  wantsTurn(): void;
  /** For log lines (SPEC R8). */
  raftFields(): Record<string, number>;
}

/** A hand-over that was asked for, and waits for the successor to show that it is there. */
interface Pending {
  readonly to: PeerId;
  readonly term: number;
  readonly untilMs: number;
}

/**
 * Hands a leadership over to a peer that answers. From the moment when the core begins a transfer it takes no proposals,
 * for up to an election timeout (thesis §3.10): were the successor gone, and nobody had noticed yet, writes would stop
 * for as long. So the successor is sent a heartbeat first, and the transfer begins with its answer; meanwhile writes go
 * on. One that does not answer within an election timeout is not handed anything; who wants it asks again.
 */
export class LeaderTransfer {
  readonly #owner: LeaderTransferOwner;
  #pending: Pending | undefined;

  constructor(owner: LeaderTransferOwner) {
    this.#owner = owner;
  }

  /** Who was asked last, and has not answered. */
  get unanswered(): PeerId | undefined {
    return this.#pending?.to;
  }

  /** The peer is to lead. Nothing happens where this one does not. */
  ask(to: PeerId): void {
    const { node, clock, electionTimeoutMs } = this.#owner;
    if (!node.isLeader || to === node.id || to === node.leadTransferee) {
      return;
    }
    this.#owner.wake();
    if (this.#owner.heartbeatsAreHeld()) {
      // Nobody is to be told that this leader lives, and it can do nothing that a transfer could stop.
      this.#begin(to);
      this.#owner.wantsTurn();
      return;
    }
    const nowMs = clock.monotonicMs();
    if (this.#pending?.to === to && this.#isOpen(this.#pending, nowMs)) {
      // Should the heartbeat be lost, another goes out soon anyway.
      return;
    }
    this.#noteUnanswered();
    this.#pending = { to, term: node.term, untilMs: nowMs + electionTimeoutMs };
    node.sendHeartbeats();
    this.#owner.wantsTurn();
  }

  /** The core took this message. */
  heard(message: Message): void {
    const pending = this.#pending;
    if (pending?.to === message.from && isAnswer(message)) {
      this.#pending = undefined;
      if (this.#isOpen(pending, this.#owner.clock.monotonicMs())) {
        this.#begin(pending.to);
      }
    }
  }

  #isOpen({ term, untilMs }: Pending, nowMs: number): boolean {
    const { node } = this.#owner;
    return node.isLeader && node.term === term && nowMs < untilMs;
  }

  #begin(to: PeerId): void {
    this.#pending = undefined;
    this.#owner.logger.info({ ...this.#owner.raftFields(), to }, "leadership is handed over");
    this.#owner.node.transferLeader(to);
  }

  #noteUnanswered(): void {
    if (this.#pending?.term === this.#owner.node.term) {
      const fields = { ...this.#owner.raftFields(), to: this.#pending.to };
      this.#owner.logger.info(fields, "the peer that was to lead has not answered: the leadership stays");
    }
  }
}

function isAnswer({ type }: Message): boolean {
  return type === "MsgHeartbeatResp" || type === "MsgAppResp";
}
