import {
  type PeerId,
  type Region,
  type RegionId,
  compareKeys,
  keyInRange,
  peerId,
  regionId,
} from "@flaredb/rdb-base";
import type { NewRegion, SplitCommand } from "@flaredb/rdb-proto";
import type { CommandBody } from "../commands.ts";

/** What a split makes: the Region as it is after it, and the Regions that were cut off, by key. */
export interface SplitPlan {
  readonly parent: Region;
  readonly children: readonly Region[];
}

/** Ids for one Region that is to be cut off. */
export interface NewRegionIds {
  readonly regionId: RegionId;
  /** In the order of the split Region's peers. */
  readonly peerIds: readonly PeerId[];
}

/** Most Regions that one split cuts off. */
export const SPLIT_MAX_COUNT = 64;

/** The entry that cuts a Region at the keys. `ids` has as many as there are keys. */
export function splitBody(keys: readonly Uint8Array[], ids: readonly NewRegionIds[]): CommandBody {
  return {
    case: "split",
    value: {
      $typeName: "rdb.v1.SplitCommand",
      newRegions: ids.map((child, place) => ({
        $typeName: "rdb.v1.NewRegion",
        regionId: BigInt(child.regionId),
        startKey: keys[place] as Uint8Array,
        peerIds: child.peerIds.map(BigInt),
      })),
    },
  };
}

/** Why a Region cannot be cut at these keys, if so: they must rise inside its range, and leave no part empty of keys. */
export function splitKeysProblem(region: Region, keys: readonly Uint8Array[]): string | undefined {
  if (keys.length === 0) {
    return "a split names no key";
  }
  if (keys.length > SPLIT_MAX_COUNT) {
    return `a split into ${keys.length + 1} parts is above the limit of ${SPLIT_MAX_COUNT + 1}`;
  }
  let previous = region.startKey;
  for (const [place, key] of keys.entries()) {
    if (!keyInRange(key, region) || compareKeys(key, previous) <= 0) {
      return `split key ${place + 1} of ${keys.length} is not above the one before it, or outside Region ${region.id}`;
    }
    previous = key;
  }
  return undefined;
}

/**
 * What a committed split makes of the Region: a pure function of the two, so that every peer makes the same. The Region
 * keeps the first part. Its version rises by the number of new Regions, which begin at that version too; the conf_ver
 * stays, as the peers are the same, on the same Stores in the same roles.
 *
 * @returns why the command does not fit, if so: then nothing happens, on any peer
 */
export function planSplit(region: Region, command: SplitCommand): SplitPlan | string {
  const { newRegions } = command;
  const keys = newRegions.map((child) => child.startKey);
  const problem = splitKeysProblem(region, keys) ?? idsProblem(region, newRegions);
  if (problem !== undefined) {
    return problem;
  }
  const epoch = { ...region.epoch, version: region.epoch.version + newRegions.length };
  const children = newRegions.map(
    (child, place): Region => ({
      id: regionId(child.regionId),
      startKey: child.startKey,
      endKey: keys[place + 1] ?? region.endKey,
      epoch,
      peers: region.peers.map((peer, at) => ({ ...peer, id: peerId(child.peerIds[at] as bigint) })),
    }),
  );
  return { parent: { ...region, endKey: keys[0] as Uint8Array, epoch }, children };
}

function idsProblem(region: Region, newRegions: readonly NewRegion[]): string | undefined {
  const regionIds = new Set([BigInt(region.id)]);
  const peerIds = new Set(region.peers.map((peer) => BigInt(peer.id)));
  for (const child of newRegions) {
    if (child.peerIds.length !== region.peers.length) {
      return `a new Region has ${child.peerIds.length} peer ids for ${region.peers.length} peers`;
    }
    if (!addNew(regionIds, [child.regionId]) || !addNew(peerIds, child.peerIds)) {
      return `the ids of new Region ${child.regionId} are not all new and from 1 to ${Number.MAX_SAFE_INTEGER}`;
    }
  }
  return undefined;
}

function addNew(known: Set<bigint>, ids: readonly bigint[]): boolean {
  return ids.every((id) => {
    const isNew = id > 0n && id <= BigInt(Number.MAX_SAFE_INTEGER) && !known.has(id);
    known.add(id);
    return isNew;
  });
}
