import type { Clock, RegionId, Timer } from "@flaredb/rdb-base";

/** A round begins of itself when of what was outstanding lately so much waits. */
const BEGIN_SHARE = 0.7;
/** And so much, when another Store has just begun one: its entries are to be written here in any case. */
const JOIN_SHARE = 0.3;
/** Where entries take longer than this to be committed, nothing waits for others. */
const WAIT_MAX_MS = 20;
/** So much the last entry counts in the mean of those before. */
const NEWEST_PART = 0.25;
/** Beyond so many busy Regions every turn has enough to do, and what counts them costs too much. */
const BUSY_MAX_COUNT = 256;

/** The writes of one Region, as they stand. */
export interface RegionWrites {
  readonly regionId: RegionId;
  /** They wait to be proposed. */
  readonly queuedCount: number;
  /** Those, and what is in the log and not answered. */
  readonly waitingCount: number;
}

/**
 * When the busy Regions that a Store leads propose: together, in rounds (ADR 27). What an entry costs is shared by the
 * writes in it, and what a pass of the writer, a message and a turn cost by the entries in them; so a busy Region waits
 * until most of the writes that its Store has to do with wait too, or another Store begins. None waits for longer than an
 * entry takes to be committed. Regions that are not busy, or alone, propose at once.
 */
export class ProposalRounds {
  readonly #clock: Clock;
  readonly #busyMinCount: number;
  readonly #wantsTurn: (regionId: RegionId) => void;
  readonly #busy = new Set<RoundMember>();
  /** Those that wait for the next round. */
  readonly #held = new Set<RoundMember>();
  #isOpen = false;
  #isDecided = false;
  /** Somebody waits for as long as is allowed. */
  #isDue = false;
  #othersBegan = false;
  #timer: Timer | undefined;
  /** The most that was outstanding in this interval of ticks, and in the one before. */
  #peakCount = 0;
  #lastPeakCount = 0;
  /** How long entries took to be committed, in the mean. */
  #commitMs = 0;

  /** @param busyMinCount a Region whose entries held so many writes lately, in the mean, is busy */
  constructor(clock: Clock, busyMinCount: number, wantsTurn: (regionId: RegionId) => void) {
    this.#clock = clock;
    this.#busyMinCount = busyMinCount;
    this.#wantsTurn = wantsTurn;
  }

  /** For one peer. */
  member(writes: RegionWrites): RoundMember {
    return new RoundMember(this, writes);
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
      this.#timer?.cancel();
      this.#timer = undefined;
    }
  }

  endTurn(): void {
    this.#othersBegan = false;
  }

  /** What was outstanding long ago says nothing of what is to be waited for, and who is idle is not waited for. */
  tick(): void {
    this.#lastPeakCount = this.#peakCount;
    this.#peakCount = 0;
    for (const member of this.#busy) {
      if (member.writes.waitingCount === 0) {
        this.leave(member);
      }
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#held.clear();
    this.#busy.clear();
  }

  /** Whether a member may propose in this turn; if not, it gets another one. */
  mayPropose(member: RoundMember): boolean {
    if (!this.#busy.has(member) || this.#busy.size === 1) {
      return true;
    }
    this.#isOpen = this.#isDecided ? this.#isOpen : this.#decide();
    if (!this.#isOpen) {
      this.#hold(member);
    }
    return this.#isOpen;
  }

  proposed(member: RoundMember): void {
    const isBusy = member.meanCount >= this.#busyMinCount;
    if (!isBusy) {
      this.leave(member);
    } else if (this.#busy.size < BUSY_MAX_COUNT) {
      this.#busy.add(member);
    }
  }

  committed(tookMs: number): void {
    this.#commitMs += NEWEST_PART * (tookMs - this.#commitMs);
  }

  leave(member: RoundMember): void {
    this.#busy.delete(member);
    this.#held.delete(member);
  }

  #decide(): boolean {
    let queuedCount = 0;
    let waitingCount = 0;
    for (const { writes } of this.#busy) {
      queuedCount += writes.queuedCount;
      waitingCount += writes.waitingCount;
    }
    this.#peakCount = Math.max(this.#peakCount, waitingCount);
    const share = this.#othersBegan ? JOIN_SHARE : BEGIN_SHARE;
    const isEnough = queuedCount >= share * Math.max(this.#peakCount, this.#lastPeakCount);
    this.#isDecided = true;
    this.#isOpen = isEnough || this.#isDue || this.#commitMs > WAIT_MAX_MS;
    this.#isDue = false;
    return this.#isOpen;
  }

  #hold(member: RoundMember): void {
    this.#held.add(member);
    this.#timer ??= this.#clock.setTimer(this.#commitMs, () => {
      this.#timer = undefined;
      this.#isDue = true;
      for (const { regionId } of this.#held) {
        this.#wantsTurn(regionId);
      }
    });
  }
}

/** One peer's part in the rounds of its Store. */
export class RoundMember {
  readonly writes: RegionWrites;
  readonly #rounds: ProposalRounds;
  #meanCount = 0;

  constructor(rounds: ProposalRounds, writes: RegionWrites) {
    this.#rounds = rounds;
    this.writes = writes;
  }

  get regionId(): RegionId {
    return this.writes.regionId;
  }

  /** Of the writes in its entries, the newest of which count most. */
  get meanCount(): number {
    return this.#meanCount;
  }

  /** Whether what waits may be proposed in this turn. If not, the peer gets another one, soon. */
  mayPropose(): boolean {
    return this.#rounds.mayPropose(this);
  }

  /** An entry of so many writes was proposed. */
  proposed(count: number): void {
    this.#meanCount =
      this.#meanCount === 0 ? count : this.#meanCount + NEWEST_PART * (count - this.#meanCount);
    this.#rounds.proposed(this);
  }

  /** An entry was committed so long after it was proposed. */
  committed(tookMs: number): void {
    this.#rounds.committed(tookMs);
  }

  /** It leads no more: nobody waits for it. */
  leave(): void {
    this.#meanCount = 0;
    this.#rounds.leave(this);
  }
}
