import type { Random } from "@flaredb/rdb-base";

/** How one direction between two hosts behaves. */
export interface LinkState {
  /** Everything is swallowed without a word, as by a pulled cable; also what was on its way. */
  readonly isBlocked: boolean;
  /** A packet takes a time drawn from here, in ms. What one connection carries keeps its order. */
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** The most that the link carries, all connections together; what is more waits its turn. Default: no bound. */
  readonly bytesPerSecond: number;
  /** The part of packets that is lost, 0 to 1. TCP repeats them, so messages come late but they come. */
  readonly packetLossRate: number;
  /** On streams that tolerate it (`unreliablePaths`): the part of messages that never arrives. */
  readonly messageLossRate: number;
  /** On such streams: the part of messages of which a copy comes later too. */
  readonly messageDuplicationRate: number;
  /** On such streams: the part of messages that is overtaken by later ones. */
  readonly messageReorderRate: number;
  /**
   * On streams of requests that may be repeated (`repeatedPaths`): the part of requests of which a copy arrives once
   * more, up to 3 s later and on a stream of its own, as if a client had tried again; nobody reads the answer.
   */
  readonly requestRepeatRate: number;
}

/** A quiet local network. */
export const quietLink: LinkState = {
  isBlocked: false,
  minLatencyMs: 0.1,
  maxLatencyMs: 0.5,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  packetLossRate: 0,
  messageLossRate: 0,
  messageDuplicationRate: 0,
  messageReorderRate: 0,
  requestRepeatRate: 0,
};

/** TCP repeats an unacknowledged packet after this long, and then after twice as long, up to the greatest. */
export const retransmission = { firstMs: 200, maxMs: 1_600 } as const;

/** One direction between two hosts: how it behaves now, and until when it is busy. */
export class Link {
  readonly from: string;
  readonly to: string;
  state: LinkState;
  #busyUntilMs = 0;

  constructor(from: string, to: string, state: LinkState) {
    this.from = from;
    this.to = to;
    this.state = state;
  }

  /** When a packet that is sent now arrives, not counting that it may get lost. */
  arrivalMs(nowMs: number, sizeBytes: number, random: Random): number {
    const { minLatencyMs, maxLatencyMs, bytesPerSecond } = this.state;
    let departsMs = nowMs;
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) {
      departsMs = Math.max(nowMs, this.#busyUntilMs) + (sizeBytes / bytesPerSecond) * 1_000;
      this.#busyUntilMs = departsMs;
    }
    return departsMs + minLatencyMs + random.nextFraction() * (maxLatencyMs - minLatencyMs);
  }

  /** How much later a message of a connection comes because packets of it were lost and repeated. */
  repeatDelayMs(random: Random): number {
    const { packetLossRate } = this.state;
    let delayMs = 0;
    let waitMs: number = retransmission.firstMs;
    // A rate of 1 is no link: such a message comes when TCP has tried this often.
    for (let tries = 0; packetLossRate > 0 && tries < MAX_TRIES; tries++) {
      if (random.nextFraction() >= packetLossRate) {
        break;
      }
      delayMs += waitMs;
      waitMs = Math.min(retransmission.maxMs, 2 * waitMs);
    }
    return delayMs;
  }
}

const MAX_TRIES = 8;
