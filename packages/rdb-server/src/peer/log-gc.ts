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
}

export interface LogGcLimits {
  /** Past this a laggard is left behind and gets a snapshot. */
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The log is cut when at least this part of a limit can go: an entry for every few would cost more than it frees. */
const WORTHWHILE_PART = 1 / 8;

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
    removableBytes >= limits.maxBytes * WORTHWHILE_PART;
  return worthwhile ? target : undefined;
}
