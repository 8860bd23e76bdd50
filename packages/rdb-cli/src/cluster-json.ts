import type { Peer, RegionRoute, Store, StoreLimits, StoreStatus } from "@flaredb/rdb-proto";
import { PeerRole, StoreState } from "@flaredb/rdb-proto";
import { bytesField } from "./output/json.ts";

/** A Region as a document of `--json`. */
export function regionDocument(route: RegionRoute, hex: boolean): Record<string, unknown> {
  const { region, leader } = route;
  return {
    id: region?.id,
    ...bytesField("startKey", region?.startKey ?? new Uint8Array(), hex),
    ...bytesField("endKey", region?.endKey ?? new Uint8Array(), hex),
    epoch: { confVer: region?.epoch?.confVer, version: region?.epoch?.version },
    peers: region?.peers.map(peerDocument) ?? [],
    leader: leader === undefined ? null : peerDocument(leader),
    term: route.term,
    approximateSizeBytes: route.approximateSizeBytes,
    approximateKeyCount: route.approximateKeyCount,
    downPeerIds: route.downPeerIds,
    pendingPeerIds: route.pendingPeerIds,
    damagedPeerIds: route.damagedPeerIds,
    verifiedIndex: route.verifiedIndex,
    load: {
      writtenBytesPerSecond: route.load?.writtenBytesPerSecond ?? 0n,
      writtenKeysPerSecond: route.load?.writtenKeysPerSecond ?? 0n,
      readBytesPerSecond: route.load?.readBytesPerSecond ?? 0n,
      readKeysPerSecond: route.load?.readKeysPerSecond ?? 0n,
    },
    reportedMs: route.reportedMs,
  };
}

function peerDocument(peer: Peer): Record<string, unknown> {
  return { id: peer.id, storeId: peer.storeId, role: roleName(peer.role) };
}

/** A Store as a document of `--json`. */
export function storeDocument(status: StoreStatus): Record<string, unknown> {
  const { store, stats } = status;
  return {
    id: store?.id,
    address: store?.address,
    httpAddress: store?.httpAddress,
    state: stateName(store),
    labels: store?.labels ?? {},
    programVersion: store?.programVersion,
    clusterVersion: store?.clusterVersion,
    lastHeartbeatMs: store?.lastHeartbeatMs,
    startedMs: store?.startedMs,
    regionCount: status.regionCount,
    leaderCount: status.leaderCount,
    evictsLeaders: status.evictsLeaders,
    regionSizeBytes: status.regionSizeBytes,
    limits: limitsDocument(status.limits),
    capacityBytes: stats?.capacityBytes,
    availableBytes: stats?.availableBytes,
    usedBytes: stats?.usedBytes,
    isSlow: stats?.isSlow ?? false,
    isFull: stats?.isFull ?? false,
    residentMemoryBytes: stats?.residentMemoryBytes,
    putCount: stats?.putCount,
    getCount: stats?.getCount,
  };
}

/** Of a placement driver that knows no limits of single Stores: all 0. */
function limitsDocument(limits: StoreLimits | undefined): Record<string, unknown> {
  return {
    addLimit: limits?.addLimit ?? 0,
    removeLimit: limits?.removeLimit ?? 0,
    isOwnAddLimit: limits?.isOwnAddLimit ?? false,
    isOwnRemoveLimit: limits?.isOwnRemoveLimit ?? false,
    addingCount: limits?.addingCount ?? 0,
    removingCount: limits?.removingCount ?? 0,
  };
}

const roles: Readonly<Record<number, string>> = {
  [PeerRole.VOTER]: "voter",
  [PeerRole.LEARNER]: "learner",
  [PeerRole.INCOMING_VOTER]: "incoming voter",
  [PeerRole.DEMOTING_VOTER]: "demoting voter",
};

/** A peer's role in words. */
export function roleName(role: PeerRole): string {
  return roles[role] ?? "unknown";
}

const states: Readonly<Record<number, string>> = {
  [StoreState.UP]: "up",
  [StoreState.DISCONNECTED]: "disconnected",
  [StoreState.DOWN]: "down",
  [StoreState.DRAINING]: "draining",
  [StoreState.TOMBSTONE]: "tombstone",
};

/** A Store's state in words. */
export function stateName(store: Store | undefined): string {
  return states[store?.state ?? StoreState.UNSPECIFIED] ?? "unknown";
}
