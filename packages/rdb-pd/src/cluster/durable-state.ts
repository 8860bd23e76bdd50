import {
  type Region,
  type RegionId,
  type StoreId,
  assert,
  clusterVersions,
  safeInteger,
  storeId,
} from "@flaredb/rdb-base";
import type { Recovery } from "@flaredb/rdb-proto";
import type { ClusterConfig } from "../command/command.ts";
import { type OperatorRecord, isEnded } from "../operator/operator-record.ts";
import { pdLimits } from "../limits.ts";
import { type PutResult, RegionTree } from "./region-tree.ts";
import type { StoreInfo } from "./store-info.ts";

/** The part of the state that is one row. */
export interface ClusterRow {
  /** 0 until it is drawn; then it never changes. */
  readonly clusterId: number;
  /** The lowest Region or peer id that nobody was given. Never goes back. */
  readonly nextId: number;
  /** The lowest Store id that nobody was given. Never goes back. */
  readonly nextStoreId: number;
  readonly config: ClusterConfig | undefined;
  /** Whether the initial Regions were placed. */
  readonly bootstrapped: boolean;
}

/** A row of the state that changed and is to be written. */
export type ChangedRow =
  | { readonly kind: "Cluster" }
  | { readonly kind: "Store"; readonly id: StoreId }
  | { readonly kind: "Region"; readonly id: RegionId }
  | { readonly kind: "Operator"; readonly id: number }
  | { readonly kind: "Placement" }
  | { readonly kind: "Recovery"; readonly id: number }
  | { readonly kind: "ClusterVersion" }
  | { readonly kind: "Member"; readonly id: number };

/** A member of PD's own group. */
export interface MemberRow {
  readonly id: number;
  readonly name: string;
  /** host:port of its RPC endpoint. */
  readonly address: string;
  /** host:port of its HTTP endpoint; empty while it never ran. */
  readonly httpAddress: string;
  /** It was taken out for good; its id is never given out again. */
  readonly isRemoved: boolean;
}

/** What people decided about placement. */
export interface PlacementRow {
  /** By name, as JSON; "" or absent: as PD was started with. */
  readonly settings: Readonly<Record<string, string>>;
  /** By name: until when, wall clock, milliseconds since 1970; 0: until it is resumed. */
  readonly pausedSchedulers: ReadonlyMap<string, number>;
}

/** Told of each Region's route that changes: what it was and what it is, undefined when it was or is not there. */
export type RouteWatcher = (before: Region | undefined, after: Region | undefined) => void;

/** What a new PD begins from. */
const emptyCluster: ClusterRow = {
  clusterId: 0,
  nextId: 1,
  nextStoreId: 1,
  config: undefined,
  bootstrapped: false,
};

/**
 * PD's durable state: what its log's applied commands made. Changed only by them (command/apply.ts), and by the
 * rows that are read back at start. It notes which rows changed, so that a driver can write just those.
 */
export class DurableState {
  #cluster: ClusterRow = emptyCluster;
  readonly #stores = new Map<StoreId, StoreInfo>();
  readonly #regions = new RegionTree();
  /** Initial Regions of which a leader and every peer have not reported yet: some peer may still have to be made. */
  readonly #forming = new Set<RegionId>();
  /** In the order in which they were first recorded. */
  readonly #operators = new Map<number, OperatorRecord>();
  #endedOperatorCount = 0;
  #placement: PlacementRow = { settings: {}, pausedSchedulers: new Map() };
  readonly #members = new Map<number, MemberRow>();
  readonly #changedMembers = new Set<number>();
  #watcher: RouteWatcher = () => {};
  #clusterChanged = false;
  #placementChanged = false;
  #clusterVersion: number = clusterVersions.oldest;
  #clusterVersionChanged = false;
  readonly #recoveries = new Map<number, Recovery>();
  readonly #changedRecoveries = new Set<number>();
  readonly #changedOperators = new Set<number>();
  readonly #changedStores = new Set<StoreId>();
  readonly #changedRegions = new Set<RegionId>();

  get cluster(): ClusterRow {
    return this.#cluster;
  }

  /** What every Store that is not gone, and every member of PD, knows. Never falls. */
  get clusterVersion(): number {
    return this.#clusterVersion;
  }

  set clusterVersion(version: number) {
    assert(version >= this.#clusterVersion, "the cluster version never falls");
    this.#clusterVersionChanged ||= version > this.#clusterVersion;
    this.#clusterVersion = version;
  }

  /** Tombstones included, in the order of their ids. */
  get stores(): ReadonlyMap<StoreId, StoreInfo> {
    return this.#stores;
  }

  get regions(): Pick<RegionTree, "size" | "get" | "all" | "holding" | "before" | "page" | "staleReason"> {
    return this.#regions;
  }

  get forming(): ReadonlySet<RegionId> {
    return this.#forming;
  }

  /** Those that had begun when this was last told, and the last that ended; by id. */
  get operators(): ReadonlyMap<number, OperatorRecord> {
    return this.#operators;
  }

  get placement(): PlacementRow {
    return this.#placement;
  }

  /** PD's members, those that were removed included. None where there was never more than one. */
  get members(): ReadonlyMap<number, MemberRow> {
    return this.#members;
  }

  /** Regions brought back without a quorum: the one that goes on, if any, and the last that ended; by id. */
  get recoveries(): ReadonlyMap<number, Recovery> {
    return this.#recoveries;
  }

  /** Forgets the oldest past `recoveryHistoryMaxCount`. */
  putRecovery(recovery: Recovery): void {
    const id = safeInteger(recovery.id, "recovery id");
    this.#recoveries.set(id, recovery);
    this.#changedRecoveries.add(id);
    if (this.#recoveries.size > pdLimits.recoveryHistoryMaxCount) {
      const oldest = Math.min(...this.#recoveries.keys());
      this.#recoveries.delete(oldest);
      this.#changedRecoveries.add(oldest);
    }
  }

  putMember(member: MemberRow): void {
    this.#members.set(member.id, member);
    this.#changedMembers.add(member.id);
  }

  /** One at a time. */
  watchRoutes(watcher: RouteWatcher): void {
    this.#watcher = watcher;
  }

  updatePlacement(change: Partial<PlacementRow>): void {
    this.#placement = { ...this.#placement, ...change };
    this.#placementChanged = true;
  }

  /** Forgets the oldest that ended, past `operatorHistoryMaxCount`. */
  putOperator(operator: OperatorRecord): void {
    const known = this.#operators.get(operator.id);
    this.#endedOperatorCount += Number(isEnded(operator)) - Number(known !== undefined && isEnded(known));
    // What ended goes to the end of the order, so that the oldest that ended is the first of those.
    this.#operators.delete(operator.id);
    this.#operators.set(operator.id, operator);
    this.#changedOperators.add(operator.id);
    if (this.#endedOperatorCount > pdLimits.operatorHistoryMaxCount) {
      this.#forgetOldestEnded();
    }
  }

  #forgetOldestEnded(): void {
    for (const operator of this.#operators.values()) {
      if (isEnded(operator)) {
        this.#operators.delete(operator.id);
        this.#changedOperators.add(operator.id);
        this.#endedOperatorCount -= 1;
        return;
      }
    }
  }

  updateCluster(change: Partial<ClusterRow>): void {
    this.#cluster = { ...this.#cluster, ...change };
    this.#clusterChanged = true;
  }

  /** Takes `count` consecutive ids out of the sequence of Region and peer ids and gives the first. */
  takeIds(count: number): number {
    const firstId = this.#cluster.nextId;
    this.updateCluster({ nextId: firstId + count });
    return firstId;
  }

  takeStoreId(): StoreId {
    const id = storeId(this.#cluster.nextStoreId);
    this.updateCluster({ nextStoreId: id + 1 });
    return id;
  }

  putStore(store: StoreInfo): void {
    this.#stores.set(store.id, store);
    this.#changedStores.add(store.id);
  }

  putRegion(region: Region): PutResult {
    const before = this.#regions.get(region.id);
    const result = this.#regions.put(region);
    if (result.accepted) {
      this.#watcher(before, region);
      this.#changedRegions.add(region.id);
      for (const removed of result.removed) {
        this.#forming.delete(removed.id);
        this.#changedRegions.add(removed.id);
        this.#watcher(removed, undefined);
      }
    }
    return result;
  }

  setForming(id: RegionId, isForming: boolean): void {
    if (isForming) {
      this.#forming.add(id);
    } else {
      this.#forming.delete(id);
    }
    this.#changedRegions.add(id);
  }

  /** The rows that changed since the last call, each once. */
  takeChangedRows(): ChangedRow[] {
    const changed: ChangedRow[] = this.#clusterChanged ? [{ kind: "Cluster" }] : [];
    for (const id of this.#changedStores) {
      changed.push({ kind: "Store", id });
    }
    for (const id of this.#changedRegions) {
      changed.push({ kind: "Region", id });
    }
    for (const id of this.#changedOperators) {
      changed.push({ kind: "Operator", id });
    }
    for (const id of this.#changedMembers) {
      changed.push({ kind: "Member", id });
    }
    for (const id of this.#changedRecoveries) {
      changed.push({ kind: "Recovery", id });
    }
    this.#changedRecoveries.clear();
    if (this.#placementChanged) {
      changed.push({ kind: "Placement" });
    }
    if (this.#clusterVersionChanged) {
      changed.push({ kind: "ClusterVersion" });
    }
    this.#clusterVersionChanged = false;
    this.#changedMembers.clear();
    this.#placementChanged = false;
    this.#changedOperators.clear();
    this.#clusterChanged = false;
    this.#changedStores.clear();
    this.#changedRegions.clear();
    return changed;
  }

  /** Every row that there is. */
  allRows(): ChangedRow[] {
    return [
      { kind: "Cluster" },
      ...[...this.#stores.keys()].map((id): ChangedRow => ({ kind: "Store", id })),
      ...Array.from(this.#regions.all(), ({ id }): ChangedRow => ({ kind: "Region", id })),
      ...[...this.#operators.keys()].map((id): ChangedRow => ({ kind: "Operator", id })),
      ...[...this.#members.keys()].map((id): ChangedRow => ({ kind: "Member", id })),
      ...[...this.#recoveries.keys()].map((id): ChangedRow => ({ kind: "Recovery", id })),
      { kind: "Placement" },
      // Not of the oldest: members that know of no versions read these rows.
      ...(this.#clusterVersion > clusterVersions.oldest ? [{ kind: "ClusterVersion" } as const] : []),
    ];
  }
}
