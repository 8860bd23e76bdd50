import type { Clock, RegionId, Timer } from "@flaredb/rdb-base";

/** A round begins of itself when of what was outstanding lately so much waits. */
const BEGIN_SHARE = 0.7;
/** And so much, when another Store has just begun one: its entries are to be written here in any case. */
const JOIN_SHARE = 0.3;
/** Where entries take less than this to be committed, timers are too coarse to wait for others ... */
const WAIT_MIN_MS = 1;
/** ... and where they take longer than this, by the network or by a disk, it would cost more than it saves. */
const WAIT_MAX_MS = 10;
/** A Region whose entry is on its way for so many times as long as entries take is not waited for. */
const SLOW_FACTOR = 2;
/** So much the last entry counts in the mean of those before. */
const NEWEST_PART = 0.25;
/** With so many Regions that write every turn has enough to do, and to count them would cost too much: nothing waits. */
const REGIONS_MAX_COUNT = 256;

/** The writes of one Region, as they stand. */
export interface RegionWrites {
  readonly regionId: RegionId;
  /** They wait to be proposed. */
  readonly queuedCount: number;
  /** Those, and what is in the log and not answered. */
  readonly waitingCount: number;
}

/**
 * When the Regions that a Store leads propose: together, in rounds (ADR 27). What an entry costs is shared by the writes
 * in it, and what a pass of the writer, a message and a turn cost by the entries in them; so while a Store has many writes
 * to do with, a Region waits until most of them wait, or another Store begins. None waits for longer than its last entry
 * took to be committed, or than entries take in the mean. With few writes outstanding, or in one Region only, nothing waits.
 */
export class ProposalRounds {
  readonly #clock: Clock;
  readonly #minCount: number;
  readonly #wantsTurn: (regionId: RegionId) => void;
  /** Those that have writes, or had some at the last tick. */
  readonly #writing = new Set<RoundMember>();
  /** Those that wait for the next round. */
  readonly #held = new Set<RoundMember>();
  #isOpen = false;
  #isDecided = false;
  /** Somebody waits for as long as is allowed. */
  #isDue = false;
  #othersBegan = false;
  #timer: Timer | undefined;
  /** When the timer ends. */
  #timerMs = 0;
  /** The most that was outstanding in this interval of ticks, and in the one before. */
  #peakCount = 0;
  #lastPeakCount = 0;
  /** How long entries took to be committed, in the mean. */
  #commitMs = 0;

  /** @param minCount with fewer writes outstanding nothing waits: there is little to share */
  constructor(clock: Clock, minCount: number, wantsTurn: (regionId: RegionId) => void) {
    this.#clock = clock;
    this.#minCount = minCount;
    this.#wantsTurn = wantsTurn;
  }

  /** For one peer. */
  member(writes: RegionWrites): RoundMember {
    return new RoundMember(this, this.#clock, writes);
  }

  /** Entries of another Store's leaders came. */
  othersBegan(): void {
    this.#othersBegan = true;
  }

  /** The loop's turn of these begins: those who wait take part in it, if a round begins. */
  beginTurn(turn: Set<RegionId>): void {
    this.#isDecided = false;
    if (this.#held.size > 0 && this.#decide()) {
      for (const { regionId } of this.#held) {
        turn.add(regionId);
      }
      this.#held.clear();
      this.#stopTimer();
    }
  }

  endTurn(): void {
    this.#othersBegan = false;
  }

  /** What was outstanding long ago says nothing of what is to be waited for, and who is idle is not waited for. */
  tick(): void {
    this.#lastPeakCount = this.#peakCount;
    this.#peakCount = 0;
    for (const member of this.#writing) {
      if (member.writes.waitingCount === 0) {
        this.leave(member);
      }
    }
  }

  stop(): void {
    this.#stopTimer();
    this.#held.clear();
    this.#writing.clear();
  }

  /** Whether a member that has writes may propose in this turn; if not, it gets another one. */
  mayPropose(member: RoundMember): boolean {
    this.#writing.add(member);
    const { size } = this.#writing;
    if (size === 1 || size > REGIONS_MAX_COUNT) {
      return true;
    }
    this.#isOpen = this.#isDecided ? this.#isOpen : this.#decide();
    if (!this.#isOpen) {
      this.#hold(member);
    }
    return this.#isOpen;
  }

  committed(tookMs: number): void {
    this.#commitMs += NEWEST_PART * (tookMs - this.#commitMs);
  }

  leave(member: RoundMember): void {
    this.#writing.delete(member);
    this.#held.delete(member);
    if (this.#held.size === 0) {
      this.#stopTimer();
    }
  }

  #decide(): boolean {
    this.#isOpen = this.#isDue || this.#isWorthless() || this.#isEnough();
    this.#isDecided = true;
    this.#isDue = false;
    return this.#isOpen;
  }

  #isWorthless(): boolean {
    return this.#commitMs < WAIT_MIN_MS || this.#commitMs > WAIT_MAX_MS;
  }

  #isEnough(): boolean {
    const slowMs = this.#clock.monotonicMs() - SLOW_FACTOR * this.#commitMs;
    let queuedCount = 0;
    let waitingCount = 0;
    for (const { writes, onItsWaySinceMs } of this.#writing) {
      if (onItsWaySinceMs >= slowMs) {
        queuedCount += writes.queuedCount;
        waitingCount += writes.waitingCount;
      }
    }
    this.#peakCount = Math.max(this.#peakCount, waitingCount);
    const peakCount = Math.max(this.#peakCount, this.#lastPeakCount);
    const share = this.#othersBegan ? JOIN_SHARE : BEGIN_SHARE;
    return peakCount < this.#minCount || queuedCount >= share * peakCount;
  }

  #hold(member: RoundMember): void {
    this.#held.add(member);
    const waitMs = Math.min(this.#commitMs, member.lastCommitMs, WAIT_MAX_MS);
    const untilMs = this.#clock.monotonicMs() + waitMs;
    if (this.#timer !== undefined && this.#timerMs <= untilMs) {
      return;
    }
    this.#stopTimer();
    this.#timerMs = untilMs;
    this.#timer = this.#clock.setTimer(waitMs, () => {
      this.#isDue = true;
      for (const { regionId } of this.#held) {
        this.#wantsTurn(regionId);
      }
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** One peer's part in the rounds of its Store. */
export class RoundMember {
  readonly writes: RegionWrites;
  readonly #rounds: ProposalRounds;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #lastCommitMs = 0;
  #onItsWaySinceMs = Number.POSITIVE_INFINITY;

  constructor(rounds: ProposalRounds, clock: Pick<Clock, "monotonicMs">, writes: RegionWrites) {
    this.#rounds = rounds;
    this.#clock = clock;
    this.writes = writes;
  }

  get regionId(): RegionId {
    return this.writes.regionId;
  }

  /** How long its last entry took from the proposal to the commit. */
  get lastCommitMs(): number {
    return this.#lastCommitMs;
  }

  /** Since when an entry of it is on its way; monotonic, infinity: none is. */
  get onItsWaySinceMs(): number {
    return this.#onItsWaySinceMs;
  }

  /** Whether what waits may be proposed in this turn. If not, the peer gets another one, soon. */
  mayPropose(): boolean {
    return this.#rounds.mayPropose(this);
  }

  /** An entry was proposed. */
  proposed(): void {
    this.#onItsWaySinceMs = Math.min(this.#onItsWaySinceMs, this.#clock.monotonicMs());
  }

  /** An entry was committed so long after it was proposed. */
  committed(tookMs: number): void {
    this.#lastCommitMs = tookMs;
    this.#onItsWaySinceMs = Number.POSITIVE_INFINITY;
    this.#rounds.committed(tookMs);
  }

  /** It leads no more: nobody waits for it. */
  leave(): void {
    this.#onItsWaySinceMs = Number.POSITIVE_INFINITY;
    this.#rounds.leave(this);
  }
}
