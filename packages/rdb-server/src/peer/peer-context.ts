import type { Clock, Logger, PeerId, Random, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import type { CommitMergeCommand } from "@flaredb/rdb-proto";
import type { Engine, EntryCache, WritePart } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import type { ClusterVersionView } from "../store/cluster-version.ts";
import type { PeerMessage } from "../store/peer-message.ts";
import type { StoreMetrics } from "../metrics/store-metrics.ts";
import type { SteadyWallClock } from "../steady-wall-clock.ts";
import type { SnapshotFiles, Transport } from "../store/ports.ts";
import type { MergeSource } from "./admin/apply-merge.ts";
import type { ChildStart } from "./admin/apply-split.ts";
import type { Neighbour } from "./admin/merge-path.ts";
import type { PeerStart } from "./peer-start.ts";
import type { ProposalRounds } from "./proposal-rounds.ts";
import type { HashingSlots } from "./replica-check/hashing-slots.ts";

/** What a Store lends to each of its peers. */
export interface PeerContext {
  readonly storeId: StoreId;
  readonly config: StoreConfig;
  readonly engine: Engine;
  readonly entryCache: EntryCache;
  readonly clock: Clock;
  readonly steadyWall: SteadyWallClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
  readonly transport: Transport;
  readonly snapshotFiles: SnapshotFiles;
  readonly clusterVersion: ClusterVersionView;
  /** When the busy Regions that the Store leads propose. */
  readonly rounds: ProposalRounds;
  /** What all replica checks of the Store share. */
  readonly hashing: HashingSlots;
  /** When this process started, on the monotonic clock. */
  readonly startedMs: number;
  /** Something happened to the peer: it gets its share of a turn. */
  wantsTurn(regionId: RegionId): void;
  /** A split made a Region whose peer here begins now. */
  beginPeer(start: PeerStart & ChildStart): void;
  /** Regions here that took over what the Region had at the version, and lost since. */
  siblings(region: Region, version: number): readonly Region[];
  /** The peer of another Region on this Store. */
  neighbour(regionId: RegionId): Neighbour | undefined;
  /** Stops the peer of a merge's source here and hands it over. @throws RdbError when that cannot be now */
  takeMergeSource(command: CommitMergeCommand): MergeSource;
  /**
   * Other Regions' peers here of which a snapshot shows that they were merged go with it: their states are put into the
   * part that begins its installation.
   *
   * @returns what deletes their rows, once the part is submitted and before the snapshot's are written
   */
  endMerged(part: WritePart, later: Region, taken: readonly RegionId[]): () => void;
  /** PD must know at once. */
  regionChanged(regionId: RegionId): void;
  /** Whether PD knows a newer configuration of the Region; if one without the peer, the peer goes. */
  askPd(regionId: RegionId): void;
  /** Asks PD which Region has the key. Answers later, or never. */
  findRegionOfKey(key: Uint8Array, found: (region: Region) => void): void;
  /** Some peer's range may be another one now. */
  rangesChanged(): void;
  /** The peer's removal is applied: with the end of the turn it goes, and its data. `last` lists it still. */
  removed(last: Region, peer: { readonly peerId: PeerId; readonly farewells: readonly PeerMessage[] }): void;
  /** Whether apply must wait for the writer: too much is unwritten. */
  applyIsPaused(): boolean;
  /** Whether heartbeats are held back, because the disk stalls: the others are to elect. */
  heartbeatsAreHeld(): boolean;
  /** The peer cannot go on: it stops alone, the Store lives. */
  halt(regionId: RegionId, peerId: PeerId, error: unknown): void;
}
