import { index } from "@flaredb/rdb-base";
import { type Engine, type RaftLogStore, WritePart } from "@flaredb/rdb-storage";
import { type LogGcView, compactTarget, worthwhileBytes } from "./log-gc.ts";

/** Limits of one Region's log, and how often its leader looks. */
export interface LogKeeperLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly checkIntervalMs: number;
}

/** A log that is worth cutting by its bytes is looked at so many times as often. */
const LARGE_CHECK_FACTOR = 10;

/**
 * Keeps one Region's log short: the leader finds what may go and proposes it; every peer deletes it once that entry
 * is applied, in slices, so that no turn deletes without bound.
 */
export class LogKeeper {
  readonly #log: RaftLogStore;
  readonly #limits: LogKeeperLimits;
  /** About how many bytes the log has. What a former run appended is not known: it counts as nothing. */
  #logBytes = 0;
  #lastCheckMs = 0;
  /** Up to here the log may go; further than it is truncated while slices are left. */
  #target = 0;

  constructor(log: RaftLogStore, limits: LogKeeperLimits) {
    this.#log = log;
    this.#limits = limits;
  }

  appended(bytes: number): void {
    this.#logBytes += bytes;
  }

  becameLeader(nowMs: number): void {
    this.#lastCheckMs = nowMs;
  }

  /** The log was replaced by a snapshot. */
  reset(): void {
    this.#logBytes = 0;
    this.#target = 0;
  }

  /**
   * The index that the leader should propose to cut the log at, if it is time and worth it. Asked at each tick.
   *
   * @param followers what those that are alive have, and are being sent
   */
  compactIndex(
    nowMs: number,
    appliedIndex: number,
    followers: () => Pick<LogGcView, "liveMatchIndexes" | "snapshotIndexes" | "isAnybodyAway">,
  ): number | undefined {
    const isLarge = this.#logBytes >= worthwhileBytes(this.#limits);
    const pauseMs = this.#limits.checkIntervalMs / (isLarge ? LARGE_CHECK_FACTOR : 1);
    if (nowMs - this.#lastCheckMs < pauseMs) {
      return undefined;
    }
    this.#lastCheckMs = nowMs;
    return compactTarget(
      {
        firstIndex: this.#log.firstIndex(),
        appliedIndex,
        logBytes: this.#logBytes,
        ...followers(),
      },
      this.#limits,
    );
  }

  /** The entry that cuts the log up to `position` was applied: deletes the first slice, in its part. */
  compact(part: WritePart, position: number): void {
    this.#target = Math.max(this.#target, position);
    this.deleteSlice(part);
  }

  /** Deletes another slice, if there is one. */
  deleteMore(engine: Pick<Engine, "submit">): void {
    if (this.hasMore) {
      const part = new WritePart();
      this.deleteSlice(part);
      engine.submit(part);
    }
  }

  get hasMore(): boolean {
    return this.#target > this.#log.truncated.index;
  }

  deleteSlice(part: WritePart): void {
    const before = this.#log.lastIndex() - this.#log.truncated.index;
    const truncated = this.#log.compactTo(part, index(this.#target));
    const after = this.#log.lastIndex() - truncated;
    this.#logBytes = before <= 0 ? 0 : (this.#logBytes * after) / before;
  }
}
