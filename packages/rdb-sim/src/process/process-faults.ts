/** What is broken in one real process, from within. */
export interface ProcessFaults {
  /** The part of the Raft messages that vanish as they arrive, of a Store or a member of PD: 0 none, 1 all. */
  readonly messageLoss: number;
  /** Added to the wall clock, milliseconds; negative: it goes back. The monotonic clock stays as it is. */
  readonly wallOffsetMs: number;
  /** Every sync of the database takes so much longer, milliseconds. */
  readonly syncDelayMs: number;
  /** The part of the chunks of snapshots that leave with one bit flipped. */
  readonly chunkFlips: number;
}

/** What faults came to, since they were last set. */
export interface FaultCounts {
  readonly lostMessages: number;
  readonly slowSyncs: number;
  readonly flippedChunks: number;
}

/** A process as it should be. */
export const noFaults: ProcessFaults = {
  messageLoss: 0,
  wallOffsetMs: 0,
  syncDelayMs: 0,
  chunkFlips: 0,
};

/** The faults of this process: set by whoever started it, asked by what stands between it and its machine. */
export class FaultSwitch {
  faults: ProcessFaults = noFaults;
  lostMessages = 0;
  slowSyncs = 0;
  flippedChunks = 0;

  /** From now on. @returns what the ones before came to */
  set(faults: ProcessFaults): FaultCounts {
    const { lostMessages, slowSyncs, flippedChunks } = this;
    this.faults = faults;
    this.lostMessages = this.slowSyncs = this.flippedChunks = 0;
    return { lostMessages, slowSyncs, flippedChunks };
  }
}
