import {
  type Peer,
  type PeerId,
  type Region,
  type RegionId,
  type StoreId,
  assert,
  clusterVersions,
  epochsEqual,
  peerById,
} from "@flaredb/rdb-base";
import type { StoreStats } from "@flaredb/rdb-proto";
import { pdLimits } from "../limits.ts";
import type { DurableState } from "./durable-state.ts";
import { Liveness, type LivenessState } from "./liveness.ts";
import type { LeaderReport, PeerReport, RegionInfo, RegionStatus, Report } from "./region-info.ts";
import { StoreActivity } from "./store-activity.ts";
import { RegionIndex } from "./region-index.ts";
import type { StoreInfo } from "./store-info.ts";

/** How a Store does; a tombstone is gone whatever it says. */
export type StoreCondition = LivenessState | "Tombstone";

/** A Store as PD knows it. */
export interface StoreView {
  readonly store: StoreInfo;
  readonly condition: StoreCondition;
  /** Wall clock, milliseconds since 1970; 0 when not since PD's start. */
  readonly lastHeardMs: number;
  readonly stats: StoreStats | undefined;
  /** The newest cluster version that its program knows; undefined while it has not said. */
  readonly clusterVersion: number | undefined;
}

export interface CountedStoreView extends StoreView {
  /** Peers that Regions have on it. */
  readonly regionCount: number;
  readonly leaderCount: number;
  /** Approximate bytes of all its Regions. */
  readonly regionSizeBytes: number;
}

/** A report that told nothing new, and why. */
export interface IgnoredReport {
  readonly regionId: RegionId;
  readonly reason: string;
}

/** The moment of an event, on both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * The cluster as PD sees it: its durable state, and what Stores and leaders said since PD's start. Pure; time is
 * handed in.
 */
export class ClusterState {
  readonly durable: DurableState;
  readonly liveness: Liveness;
  /** Which Store has which Regions. */
  readonly index = new RegionIndex();
  readonly #statuses = new Map<RegionId, RegionStatus>();
  /** Regions that changed in a way that placement cares for, since that was last asked. */
  readonly #changed = new Set<RegionId>();
  readonly #activities = new Map<StoreId, StoreActivity>();

  /** @param downAfterMs see {@link Liveness} */
  constructor(durable: DurableState, startedMonotonicMs: number, downAfterMs: () => number) {
    this.durable = durable;
    this.liveness = new Liveness(startedMonotonicMs, downAfterMs);
    for (const region of durable.regions.all()) {
      this.index.add(region, undefined);
    }
    durable.watchRoutes((before, after) => this.#routeChanged(before, after));
  }

  activity(id: StoreId): StoreActivity {
    let activity = this.#activities.get(id);
    if (activity === undefined) {
      activity = new StoreActivity();
      this.#activities.set(id, activity);
    }
    return activity;
  }

  /** A sign of life of the Store. */
  heard(id: StoreId, now: Moment): void {
    this.liveness.heard(id, now.monotonicMs);
    this.activity(id).lastHeardMs = now.wallMs;
  }

  /** A process of the Store registered: what an older one led it leads no more. */
  registered({ id, bootId }: StoreInfo): void {
    const activity = this.activity(id);
    if (activity.bootId === bootId) {
      return;
    }
    activity.reset(bootId);
    for (const regionId of [...this.index.of(id).led]) {
      this.#noLeader(regionId);
    }
  }

  /** The Regions that the reports say are to go through PD's log: new routes, and initial Regions that are whole now. */
  routesToRecord(reports: readonly Report[]): Region[] {
    return reports.flatMap((report) => {
      const region = report.isLeader ? this.#newRoute(report) : undefined;
      return region === undefined ? this.#wholeNow(report, reports) : [region];
    });
  }

  #newRoute(report: LeaderReport): Region | undefined {
    const known = this.durable.regions.get(report.regionId);
    const isNews = known === undefined || !epochsEqual(known.epoch, report.epoch);
    return isNews && this.#staleReason(report) === undefined ? report.region : undefined;
  }

  /** The report's Region, if it is an initial one, led, and every peer of it has been reported, now by this. */
  #wholeNow(report: Report, reports: readonly Report[]): Region[] {
    const { regionId } = report;
    const region = this.durable.forming.has(regionId) ? this.durable.regions.get(regionId) : undefined;
    const isLed = report.isLeader || this.#statuses.get(regionId)?.leader !== undefined;
    if (region === undefined || !isLed || (report.isLeader && this.#staleReason(report) !== undefined)) {
      return [];
    }
    const isMade = (peer: Peer): boolean =>
      reports.some((each) => each.regionId === regionId && each.peerId === peer.id) ||
      this.activity(peer.storeId).report(regionId)?.peerId === peer.id;
    return region.peers.every(isMade) ? [region] : [];
  }

  /** Takes in what leaders say; their routes were recorded before. Gives what was out of date. */
  observe(reports: readonly Report[], wallMs: number): IgnoredReport[] {
    const ignored: IgnoredReport[] = [];
    for (const report of reports) {
      if (report.isLeader) {
        const reason = this.#staleReason(report) ?? this.#unknownReason(report);
        if (reason === undefined) {
          this.#setStatus(
            report.regionId,
            statusOf(report, this.durable.regions.get(report.regionId), wallMs),
          );
        } else {
          ignored.push({ regionId: report.regionId, reason });
        }
      }
    }
    return ignored;
  }

  /** A Store's ordered stream says that it follows where it was known to lead: nobody is known to lead. */
  steppedDown(reports: readonly PeerReport[]): void {
    for (const report of reports) {
      const status = this.#statuses.get(report.regionId);
      if (!report.isLeader && status?.leader?.id === report.peerId) {
        this.#noLeader(report.regionId);
      }
    }
  }

  region(id: RegionId): RegionInfo | undefined {
    const region = this.durable.regions.get(id);
    return region === undefined ? undefined : this.infoOf(region);
  }

  infoOf(region: Region): RegionInfo {
    return { region, status: this.#statuses.get(region.id) };
  }

  /** The Regions whose route, leader or ailing peers changed, or that are no more, since the last call. */
  takeChangedRegions(): RegionId[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  condition(store: StoreInfo, monotonicMs: number): StoreCondition {
    if (store.isTombstone) {
      return "Tombstone";
    }
    return store.isLost === true ? "Down" : this.liveness.state(store.id, monotonicMs);
  }

  /** Stores that are up, in the order of their ids. */
  upStoreIds(monotonicMs: number): StoreId[] {
    return this.#storeIds((store) => this.condition(store, monotonicMs) === "Up");
  }

  /** Stores whose addresses may be given away. */
  silentStoreIds(monotonicMs: number): StoreId[] {
    return this.#storeIds((store) => !store.isTombstone && this.liveness.isSilent(store.id, monotonicMs));
  }

  /** Regions whose leader is known and on a Store that is up. */
  ledRegionCount(monotonicMs: number): number {
    let count = 0;
    for (const [id, { led }] of this.index.all()) {
      if (this.liveness.state(id, monotonicMs) === "Up") {
        count += led.size;
      }
    }
    return count;
  }

  storeView(store: StoreInfo, monotonicMs: number): StoreView {
    const activity = this.#activities.get(store.id);
    return {
      store,
      condition: this.condition(store, monotonicMs),
      lastHeardMs: activity?.lastHeardMs ?? 0,
      stats: activity?.stats,
      clusterVersion: this.clusterVersionOf(store),
    };
  }

  /** As the process that registered last said it, to this PD or, by its log, to a former one; undefined: to none. */
  clusterVersionOf({ id, clusterVersion }: StoreInfo): number | undefined {
    const recorded = clusterVersion === clusterVersions.oldest ? undefined : clusterVersion;
    return this.#activities.get(id)?.clusterVersion ?? recorded;
  }

  /** Every Store, tombstones included, in the order of their ids. */
  countedStoreViews(monotonicMs: number): CountedStoreView[] {
    return [...this.durable.stores.values()].map((store) => this.countedStoreView(store, monotonicMs));
  }

  countedStoreView(store: StoreInfo, monotonicMs: number): CountedStoreView {
    const regions = this.index.of(store.id);
    return {
      ...this.storeView(store, monotonicMs),
      regionCount: regions.regionCount,
      leaderCount: regions.led.size,
      regionSizeBytes: regions.sizeBytes,
    };
  }

  #storeIds(isWanted: (store: StoreInfo) => boolean): StoreId[] {
    return [...this.durable.stores.values()].filter(isWanted).map((store) => store.id);
  }

  #staleReason(report: LeaderReport): string | undefined {
    const knownTerm = this.#statuses.get(report.regionId)?.term ?? 0;
    if (report.term < knownTerm) {
      return `term ${report.term} is behind the known ${knownTerm}`;
    }
    const known = this.durable.regions.get(report.regionId)?.epoch ?? { confVer: 0, version: 0 };
    const { confVer, version } = report.epoch;
    const leap = Math.max(report.term - knownTerm, confVer - known.confVer, version - known.version);
    if (leap > pdLimits.leapMax) {
      // Believed once, nothing true would ever be newer.
      return `term ${report.term} or epoch ${confVer}.${version} is further ahead than any Region gets`;
    }
    return this.durable.regions.staleReason(report.region);
  }

  #unknownReason(report: LeaderReport): string | undefined {
    const known = this.durable.regions.get(report.regionId);
    return known !== undefined && epochsEqual(known.epoch, report.epoch)
      ? undefined
      : "its route was not recorded";
  }

  #noLeader(id: RegionId): void {
    const status = this.#statuses.get(id);
    if (status !== undefined) {
      this.#setStatus(id, { ...status, leader: undefined });
    }
  }

  #setStatus(id: RegionId, status: RegionStatus): void {
    const region = this.durable.regions.get(id);
    assert(region !== undefined, "only known Regions have a status");
    const before = this.#statuses.get(id);
    this.index.update(region, before, status);
    this.#statuses.set(id, status);
    if (before === undefined || isNews(before, status)) {
      this.#changed.add(id);
    }
  }

  /** Regions that newer ones replaced take their status with them. */
  #routeChanged(before: Region | undefined, after: Region | undefined): void {
    const id = before?.id ?? after?.id;
    assert(id !== undefined, "a Region was or is there");
    this.#changed.add(id);
    const status = this.#statuses.get(id);
    if (before !== undefined) {
      this.index.remove(before, status);
    }
    if (after === undefined) {
      this.#statuses.delete(id);
    } else {
      this.index.add(after, status);
    }
  }
}

/** Whether placement has to look again: sizes and load do not count, they always change. */
function isNews(before: RegionStatus, after: RegionStatus): boolean {
  return (
    before.leader?.id !== after.leader?.id ||
    before.isMerging !== after.isMerging ||
    !epochsEqual(before.epoch, after.epoch) ||
    !sameIds(before.downPeerIds, after.downPeerIds) ||
    !sameIds(before.pendingPeerIds, after.pendingPeerIds) ||
    !sameIds(before.damagedPeerIds, after.damagedPeerIds)
  );
}

function sameIds(a: readonly PeerId[], b: readonly PeerId[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}

/** Shares what it can with the known Region and other reports: there are as many of these as Regions. */
function statusOf(report: LeaderReport, known: Region | undefined, wallMs: number): RegionStatus {
  const region = known ?? report.region;
  return {
    leader: peerById(region, report.peerId),
    epoch: region.epoch,
    term: report.term,
    approximateSizeBytes: report.approximateSizeBytes,
    approximateKeyCount: report.approximateKeyCount,
    downPeerIds: shared(report.downPeerIds),
    pendingPeerIds: shared(report.pendingPeerIds),
    damagedPeerIds: shared(report.damagedPeerIds),
    load: report.load,
    verifiedIndex: report.verifiedIndex,
    isMerging: report.isMerging,
    reportedMs: wallMs,
  };
}

const NO_PEERS: readonly PeerId[] = [];

function shared(ids: readonly PeerId[]): readonly PeerId[] {
  return ids.length === 0 ? NO_PEERS : ids;
}
