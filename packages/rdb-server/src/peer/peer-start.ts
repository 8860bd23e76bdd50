import type { Region } from "@flaredb/rdb-base";
import type { ApplyState, RaftLogStoreOptions } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import type { PeerContext } from "./peer-context.ts";
import type { RegionSize } from "./size-keeper.ts";

/** Whether a crash would leave the peer there. */
interface PeerRecord {
  readonly isDurable: boolean;
}

/** What a peer is made from. */
export interface PeerStart {
  readonly region: Region;
  readonly applyState: ApplyState;
  /** Whether it was made in this run. */
  readonly isNew: boolean;
  /**
   * Whether a former run may have had it as well, though it is new: what made it was not durable, and a crash took it
   * back. Default false.
   */
  readonly mayBeForgotten?: boolean;
  /** Whether it is to lead as soon as it can. Default: the first peer of a new Region is. */
  readonly campaigns?: boolean;
  /** False: an empty peer that waits for its first snapshot; its Region names no more than it. Default true. */
  readonly isInitialised?: boolean;
  /** Whether it takes the place of an empty peer of this run, which may have acknowledged a lease until now. */
  readonly takesOver?: boolean;
  /** What says on disk that the peer is here, where that was only just submitted. Default: it is durable. */
  readonly record?: PeerRecord;
  /** What the Region holds, about, until it is counted. Default: nothing is known. */
  readonly size?: RegionSize;
}

/** Whether a former run of the Store may have had the peer, and may have promised something in its name. */
export function mayHaveRun({
  isNew,
  mayBeForgotten = false,
}: Pick<PeerStart, "isNew" | "mayBeForgotten">): boolean {
  return !isNew || mayBeForgotten;
}

/**
 * Before this moment the peer gives no vote: a former run, or the empty peer whose place it takes, may have acknowledged
 * a lease that still holds. That the Region on disk has no other voter says nothing: a crash may have kept the entries
 * that made others vote, and lost what applying them wrote.
 */
export function voteGuardEndMs(
  { config, startedMs, clock }: Pick<PeerContext, "config" | "startedMs" | "clock">,
  { takesOver = false, ...start }: Pick<PeerStart, "isNew" | "mayBeForgotten" | "takesOver">,
): number {
  const guards = takesOver || mayHaveRun(start);
  return guards ? leaseEndMs(config, takesOver ? clock.monotonicMs() : startedMs) : Number.NEGATIVE_INFINITY;
}

/**
 * Until when a lease that was acknowledged at a moment may hold. It is another Store's, whose `leaseMs` and `leaseReads` may
 * differ from those here while they are changed, Store by Store; but every lease ends before the earliest election, also
 * on a clock that drifts.
 */
export function leaseEndMs(
  { electionTicks, tickMs }: Pick<StoreConfig, "electionTicks" | "tickMs">,
  acknowledgedMs: number,
): number {
  return acknowledgedMs + (electionTicks - 1) * tickMs;
}

/** The log store asks for snapshots of a peer that is made after it. */
export function logOptions<Made extends { makeSnapshot(): ReturnType<RaftLogStoreOptions["makeSnapshot"]> }>(
  context: PeerContext,
  { region, applyState }: PeerStart,
): { readonly options: RaftLogStoreOptions; readonly made: (peer: Made) => Made } {
  const late: { peer?: Made } = {};
  return {
    options: {
      regionId: region.id,
      cache: context.entryCache,
      applied: applyState.index,
      makeSnapshot: () => late.peer?.makeSnapshot() ?? "temporarily-unavailable",
    },
    made: (peer) => (late.peer = peer),
  };
}
