import {
  type KeyRange,
  type Peer,
  type Region,
  type StoreId,
  assert,
  peerId,
  regionId,
} from "@flaredb/rdb-base";

/** Epoch of a Region that nothing happened to yet. */
const INITIAL_EPOCH = { confVer: 1, version: 1 } as const;

/** How many peers each of the initial Regions gets: at most one on a Store. */
function initialPeerCount(replicaCount: number, storeCount: number): number {
  return Math.min(replicaCount, storeCount);
}

/** How many ids {@link placeInitialRegions} takes. */
export function initialIdCount(rangeCount: number, replicaCount: number, storeCount: number): number {
  return rangeCount * (1 + initialPeerCount(replicaCount, storeCount));
}

/**
 * The initial Regions: ids first, then their peers' ids, from `firstId` on. Region by region the Stores take turns,
 * so peers are spread evenly and each Region's first peer, a hint at who should lead, is on the next Store.
 */
export function placeInitialRegions(options: {
  readonly ranges: readonly KeyRange[];
  readonly storeIds: readonly StoreId[];
  readonly replicaCount: number;
  readonly firstId: number;
}): Region[] {
  const { ranges, storeIds, firstId } = options;
  const peerCount = initialPeerCount(options.replicaCount, storeIds.length);
  assert(peerCount >= 1, "an initial Region has at least one Store");
  assert(new Set(storeIds).size === storeIds.length, "each Store is listed once");
  return ranges.map((range, position) => {
    const firstPeerId = firstId + ranges.length + position * peerCount;
    const peers: Peer[] = Array.from({ length: peerCount }, (_, turn) => ({
      id: peerId(firstPeerId + turn),
      storeId: storeIds[(position + turn) % storeIds.length] as StoreId,
      role: "Voter",
    }));
    return {
      id: regionId(firstId + position),
      startKey: range.startKey,
      endKey: range.endKey,
      epoch: INITIAL_EPOCH,
      peers,
    };
  });
}
