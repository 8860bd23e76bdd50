import { formatKey } from "@flaredb/rdb-base";
import type { CountedStoreView } from "../cluster/cluster-state.ts";
import { NO_LOAD, type RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import type { RunningGroup } from "../run-pd.ts";
import type { MemberInfo } from "../member/member-info.ts";
import { PROGRAM_VERSION } from "../version.ts";

/** Whether a member of PD is of use: `leaderless` until its group has elected one of which it knows. */
type MemberHealth = "serving" | "following" | "leaderless";

/** Whether this member serves, or follows who does. Shape of `GET /health`. */
export function healthView(group: RunningGroup) {
  const { clusterId, memberId, leaderMemberId, appliedIndex } = group;
  return {
    status: memberHealth(group),
    ...{ clusterId, memberId, leaderMemberId, appliedIndex },
    version: PROGRAM_VERSION,
  };
}

function memberHealth({ isServing, memberId, leaderMemberId }: RunningGroup): MemberHealth {
  if (isServing) {
    return "serving";
  }
  // One that was elected serves only after it has applied what was committed before it.
  return leaderMemberId === 0 || leaderMemberId === memberId ? "leaderless" : "following";
}

/** Shape of `GET /api/v1/cluster`. */
export function clusterView(driver: PlacementDriver, members: readonly MemberInfo[]) {
  const { cluster, regions, forming } = driver.cluster.durable;
  const stores = driver.lookup.presentStores();
  return {
    clusterId: cluster.clusterId,
    bootstrapped: cluster.bootstrapped,
    bootstrapStoreCount: cluster.config?.bootstrapStoreCount ?? 0,
    replicaCount: cluster.config?.replicaCount ?? 0,
    members,
    leaderMemberId: driver.log.leaderMemberId,
    storeCount: stores.length,
    upStoreCount: stores.filter(({ condition }) => condition === "Up").length,
    regionCount: regions.size,
    regionWithLeaderCount: driver.lookup.ledRegionCount(),
    formingRegionCount: forming.size,
  };
}

/** Shape of `GET /api/v1/stores`. */
export function storesView(driver: PlacementDriver) {
  return { stores: driver.lookup.countedStores().map(storeJson) };
}

/** Shape of `GET /api/v1/regions`: a page of them. `nextKey` is null on the last one. */
export function regionsView(driver: PlacementDriver, startKey: Uint8Array) {
  const { regions, next } = driver.lookup.regionPage(startKey, pdLimits.listRegionsMaxCount);
  return {
    regions: regions.map(regionJson),
    nextKey: next === undefined ? null : formatKey(next.startKey),
  };
}

function storeJson(view: CountedStoreView) {
  const { store, condition, lastHeardMs, stats, regionCount, leaderCount, regionSizeBytes } = view;
  return {
    id: store.id,
    address: store.address,
    httpAddress: store.httpAddress,
    state: condition,
    labels: store.labels,
    version: store.programVersion,
    startedMs: store.startedMs,
    lastHeardMs,
    regionCount,
    leaderCount,
    regionSizeBytes,
    isDraining: store.isDraining,
    evictsLeaders: store.evictsLeaders,
    replacedBy: store.replacedBy ?? null,
    stats:
      stats === undefined
        ? null
        : {
            capacityBytes: Number(stats.capacityBytes),
            availableBytes: Number(stats.availableBytes),
            usedBytes: Number(stats.usedBytes),
            isSlow: stats.isSlow,
            isFull: stats.isFull,
          },
  };
}

function regionJson({ region, status }: RegionInfo) {
  return {
    id: region.id,
    startKey: formatKey(region.startKey),
    endKey: formatKey(region.endKey),
    epoch: region.epoch,
    peers: region.peers,
    leader: status?.leader ?? null,
    term: status?.term ?? 0,
    approximateSizeBytes: status?.approximateSizeBytes ?? 0,
    approximateKeyCount: status?.approximateKeyCount ?? 0,
    downPeerIds: status?.downPeerIds ?? [],
    pendingPeerIds: status?.pendingPeerIds ?? [],
    damagedPeerIds: status?.damagedPeerIds ?? [],
    load: status?.load ?? NO_LOAD,
    isMerging: status?.isMerging ?? false,
    reportedMs: status?.reportedMs ?? 0,
  };
}
