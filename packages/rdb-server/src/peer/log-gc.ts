/** What a leader knows of its log when it asks whether to cut it. */
export interface LogGcView {
  readonly firstIndex: number;
  readonly appliedIndex: number;
  /** About how many bytes the log has. */
  readonly logBytes: number;
  /** The highest index that each follower is known to have; only of those that are alive. */
  readonly liveMatchIndexes: readonly number[];
}

export interface LogGcLimits {
  /** Past this a laggard is left behind and gets a snapshot. */
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The log is cut when at least this part of a limit can go: an entry for every few would cost more than it frees. */
const WORTHWHILE_PART = 1 / 8;

/**
 * The index up to which the log may go, or undefined when cutting is not worth it (DESIGN §5 Log GC). Normally what
 * every live follower has; past the limits everything applied, and whoever is behind gets a snapshot.
 */
export function compactTarget(view: LogGcView, limits: LogGcLimits): number | undefined {
  const entryCount = view.appliedIndex - view.firstIndex + 1;
  const overLimit = entryCount > limits.maxEntries || view.logBytes > limits.maxBytes;
  const target = overLimit ? view.appliedIndex : Math.min(view.appliedIndex, ...view.liveMatchIndexes);
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
