import { create } from "@bufbuild/protobuf";
import { assertNever } from "@flaredb/rdb-base";
import {
  RegionLoadSchema,
  type RegionRoute,
  RegionRouteSchema,
  type Store,
  StoreSchema,
  StoreState,
  type StoreStatus,
  StoreStatusSchema,
  peerToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { FullStoreView } from "../cluster/cluster-lookup.ts";
import type { StoreView } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";

export function storeToProto(view: StoreView): Store {
  const { store } = view;
  return create(StoreSchema, {
    id: BigInt(store.id),
    address: store.address,
    httpAddress: store.httpAddress,
    state: stateToProto(view),
    labels: { ...store.labels },
    programVersion: store.programVersion,
    lastHeartbeatMs: BigInt(view.lastHeardMs),
    startedMs: BigInt(store.startedMs),
    clusterVersion: view.clusterVersion ?? 0,
  });
}

export function storeStatusToProto(view: FullStoreView): StoreStatus {
  return create(StoreStatusSchema, {
    store: storeToProto(view),
    regionCount: view.regionCount,
    leaderCount: view.leaderCount,
    evictsLeaders: view.store.evictsLeaders,
    regionSizeBytes: BigInt(view.regionSizeBytes),
    limits: view.limits,
    ...(view.stats === undefined ? {} : { stats: view.stats }),
  });
}

export function routeToProto({ region, status }: RegionInfo): RegionRoute {
  const route = create(RegionRouteSchema, { region: regionToProto(region) });
  if (status === undefined) {
    return route;
  }
  if (status.leader !== undefined) {
    route.leader = peerToProto(status.leader);
  }
  route.term = BigInt(status.term);
  route.approximateSizeBytes = BigInt(status.approximateSizeBytes);
  route.approximateKeyCount = BigInt(status.approximateKeyCount);
  route.downPeerIds = status.downPeerIds.map(BigInt);
  route.pendingPeerIds = status.pendingPeerIds.map(BigInt);
  route.damagedPeerIds = status.damagedPeerIds.map(BigInt);
  route.load = create(RegionLoadSchema, {
    writtenBytesPerSecond: BigInt(status.load.writtenBytesPerSecond),
    writtenKeysPerSecond: BigInt(status.load.writtenKeysPerSecond),
    readBytesPerSecond: BigInt(status.load.readBytesPerSecond),
    readKeysPerSecond: BigInt(status.load.readKeysPerSecond),
  });
  route.verifiedIndex = BigInt(status.verifiedIndex);
  route.reportedMs = BigInt(status.reportedMs);
  return route;
}

/** One that is being emptied and answers is Draining; one that does not is what its silence makes of it. */
function stateToProto({ condition, store }: StoreView): StoreState {
  switch (condition) {
    case "Up":
      return store.isDraining ? StoreState.DRAINING : StoreState.UP;
    case "Disconnected":
      return StoreState.DISCONNECTED;
    case "Down":
      return StoreState.DOWN;
    case "Tombstone":
      return StoreState.TOMBSTONE;
    default:
      return assertNever(condition, "condition of a Store");
  }
}
