import type { PeerId, Region, RegionEpoch, RegionId, StoreId, Term } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse, RegionHeader, StoreFlow } from "@flaredb/rdb-proto";
import type { AdminOutcome, AdminTarget, ChangePeers, MergeRegion, SplitRegion } from "./admin-command.ts";
import type { RegionLoad } from "../peer/load-meter.ts";
import type { PeerMessage, Refusal } from "./peer-message.ts";
import type { ReceivedSnapshot, SnapshotStatus } from "./ports.ts";
import type { RecoverRegion, SurveyedPeer } from "./recover-region.ts";
import type { CreateOutcome } from "./region-opener.ts";

/**
 * What the edges (streams, unary methods, PD's link, health) may ask of the loop. Every call only queues: the work
 * is done in the loop's next turn, and callbacks run inside it.
 */
export interface StoreHandle {
  /** Messages from another Store. What is refused comes back through `refuse`, at most once for the call. */
  receive(messages: readonly PeerMessage[], refuse: (refusals: readonly Refusal[]) => void): void;
  /**
   * Requests to one Region. `respond` is called exactly once for each, in any order, also when the Store stops.
   */
  handle(
    header: RegionHeader | undefined,
    requests: readonly KvRequest[],
    respond: (response: KvResponse) => void,
  ): void;
  /** Whether the header of an incoming snapshot is welcome; a reason when not. */
  acceptsSnapshot(message: PeerMessage, region: Region): true | string;
  /**
   * Keeps the snapshot's range for it while it comes in: no other Region gets keys of it here.
   *
   * @returns what ends that; or why the range cannot be kept
   */
  reserveSnapshot(message: PeerMessage, region: Region): (() => void) | string;
  /** A snapshot lies in its files, whole. The loop removes it when it is applied or refused. */
  snapshotReceived(snapshot: ReceivedSnapshot): void;
  snapshotStatus(status: SnapshotStatus): void;
  /** Messages to the Store could not be sent or were refused. */
  unreachable(storeId: StoreId, regionId: RegionId | undefined): void;
  /** Nothing was heard of the Store for `storeSilentMs`, or it started anew. */
  storeSilent(storeId: StoreId): void;
  /** The Store is heard of again. */
  storeReturned(storeId: StoreId): void;
  /** PD's command (DESIGN §5 Bootstrap). Idempotent. Resolves once durable, or says why it was refused. */
  createPeer(region: Region): Promise<CreateOutcome>;
  /** PD's command. */
  transferLeader(regionId: RegionId, epoch: RegionEpoch, toPeerId: PeerId): AdminOutcome;
  /** PD's command: one conf change of a Region that is led from here. */
  changePeers(command: ChangePeers): Promise<AdminOutcome>;
  /** PD's command: the keys are found if none are named, and PD is asked for ids. Never rejects. */
  splitRegion(command: SplitRegion): Promise<AdminOutcome>;
  /** PD's command: compares the peers of a Region that is led from here. What is found shows in its reports. */
  checkRegion(target: AdminTarget): Promise<AdminOutcome>;
  /** PD's command: the Region, which is led from here, is to be taken by its neighbour. */
  mergeRegion(command: MergeRegion): Promise<AdminOutcome>;
  /** Every peer here, those that do not run too: what PD plans from when a quorum is lost. */
  surveyPeers(): SurveyedPeer[];
  /** PD's command: the peer here becomes the only one of its Region. Idempotent. Never rejects. */
  recoverRegion(order: RecoverRegion): Promise<AdminOutcome>;
  /** A snapshot of every Region here, for heartbeats and health. */
  regionStatuses(): RegionStatus[];
  regionStatus(regionId: RegionId): RegionStatus | undefined;
  /** The Region whose range holds the key, if a peer of it is here. */
  regionOfKey(key: Uint8Array): Region | undefined;
  health(): StoreHealth;
  /** What was served since the Store started, and what is just being asked for. */
  flow(): Omit<StoreFlow, "bootId">;
}

/** How far another peer is, as its leader sees it. */
export interface FollowerProgress {
  readonly peerId: PeerId;
  /** `probe`: it is looked for where the logs meet; `replicate`: entries flow; `snapshot`: it waits for one. */
  readonly state: "probe" | "replicate" | "snapshot";
  /** The last entry that it is known to have. */
  readonly matchIndex: number;
  /** The next entry that it is sent. */
  readonly nextIndex: number;
  /** Whether its Store is heard of. */
  readonly isAlive: boolean;
}

/** One peer here, as it stands. */
export interface RegionStatus {
  readonly region: Region;
  readonly peerId: PeerId;
  readonly term: Term;
  /** 0 when none is known. */
  readonly leaderPeerId: PeerId | 0;
  readonly isLeader: boolean;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  readonly revision: number;
  readonly approximateSizeBytes: number;
  readonly approximateKeyCount: number;
  /** Of the last seconds, as this peer served and applied it. */
  readonly load: RegionLoad;
  readonly isAsleep: boolean;
  /** It serves nobody: it waits for its target to take it, or for the rollback. */
  readonly isMerging: boolean;
  /** Leader only: peers not heard of for a while; peers far behind or being sent a snapshot. */
  readonly downPeerIds: readonly PeerId[];
  readonly pendingPeerIds: readonly PeerId[];
  /** This peer's rows were found to be wrong: it serves nobody and waits to be replaced. */
  readonly isDamaged: boolean;
  /** Leader only: other peers that are damaged. */
  readonly damagedPeerIds: readonly PeerId[];
  /** The last entry at which this peer had what most voters had; 0: none in this leadership. */
  readonly verifiedIndex: number;
  /** Leader only, and only where one Region is asked for: the other peers. */
  readonly followers?: readonly FollowerProgress[];
}

export interface StoreHealth {
  readonly isSlow: boolean;
  readonly isFull: boolean;
  readonly pendingRequestCount: number;
  readonly unwrittenBytes: number;
  readonly putCount: number;
  readonly getCount: number;
  readonly regionCount: number;
  readonly leaderCount: number;
  /** Of the Regions, those that sleep here. */
  readonly asleepCount: number;
}
