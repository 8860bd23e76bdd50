import { KiB } from "@flaredb/rdb-base";

/** What a leader knows of its log when it asks whether to cut it. */
export interface LogGcView {
  readonly firstIndex: number;
  readonly appliedIndex: number;
  /** About how many bytes the log has. */
  readonly logBytes: number;
  /** The highest index that each follower is known to have; only of those that are alive. */
  readonly liveMatchIndexes: readonly number[];
  /** Indexes of the snapshots that followers that are alive are being sent, or install. */
  readonly snapshotIndexes: readonly number[];
  /** Whether a peer is not alive: it would like to find the log when it is back. */
  readonly isAnybodyAway: boolean;
}

export interface LogGcLimits {
  /** Past this a laggard is left behind and gets a snapshot. */
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The log is cut when at least this part of a limit can go: an entry for every few would cost more than it frees. */
const WORTHWHILE_PART = 1 / 8;
/**
 * While nobody is away, already when this part of the bytes can go. What stays for longer than RocksDB gathers in memory
 * is written once more for each level that it sinks to: with 16 busy Regions 40 % of what RocksDB's own threads do.
 */
const WORTHWHILE_PART_OF_BYTES = 1 / 128;
/** But never for less. */
const WORTHWHILE_MIN_BYTES = 64 * KiB;

/**
 * How far past its limits a log may grow for the sake of a snapshot under way: if what follows the snapshot were cut,
 * the follower would need another one as soon as it has this one.
 */
const SNAPSHOT_LOG_FACTOR = 4;

/**
 * The index up to which the log may go, or undefined when cutting is not worth it (DESIGN §5 Log GC). Normally what
 * every live follower has; past the limits everything applied, and whoever is behind gets a snapshot.
 */
export function compactTarget(view: LogGcView, limits: LogGcLimits): number | undefined {
  const entryCount = view.appliedIndex - view.firstIndex + 1;
  const isOver = (factor: number): boolean =>
    entryCount > factor * limits.maxEntries || view.logBytes > factor * limits.maxBytes;
  const overLimit = isOver(1);
  const snapshotIndexes = isOver(SNAPSHOT_LOG_FACTOR) ? [] : view.snapshotIndexes;
  const matchIndexes = overLimit ? [] : view.liveMatchIndexes;
  const target = Math.min(view.appliedIndex, ...snapshotIndexes, ...matchIndexes);
  const removableCount = target - view.firstIndex + 1;
  if (removableCount <= 0) {
    return undefined;
  }
  const removableBytes = (view.logBytes * removableCount) / Math.max(1, entryCount);
  const worthwhile =
    overLimit ||
    removableCount >= limits.maxEntries * WORTHWHILE_PART ||
    removableBytes >= (view.isAnybodyAway ? limits.maxBytes * WORTHWHILE_PART : worthwhileBytes(limits));
  return worthwhile ? target : undefined;
}

/** From so many bytes on a log is worth cutting while nobody is away. */
export function worthwhileBytes({ maxBytes }: Pick<LogGcLimits, "maxBytes">): number {
  const fine = Math.max(WORTHWHILE_MIN_BYTES, maxBytes * WORTHWHILE_PART_OF_BYTES);
  return Math.min(fine, maxBytes * WORTHWHILE_PART);
}
