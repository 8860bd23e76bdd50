import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { type LeaderReport, NO_LOAD } from "../cluster/region-info.ts";

const utf8 = new TextEncoder();

export function key(text: string): Uint8Array {
  return utf8.encode(text);
}

export interface RegionSketch {
  readonly id: number;
  /** "a-m": from a to m; either side may be empty. */
  readonly range: string;
  readonly version?: number;
  readonly confVer?: number;
  /** Store ids; peer ids are 100 * Region + Store. */
  readonly stores?: readonly number[];
}

/** A Region from a sketch, for table tests. */
export function region({ id, range, version = 1, confVer = 1, stores = [1, 2, 3] }: RegionSketch): Region {
  const [start = "", end = ""] = range.split("-");
  return {
    id: regionId(id),
    startKey: key(start),
    endKey: key(end),
    epoch: { confVer, version },
    peers: stores.map((store) => ({ id: peerId(id * 100 + store), storeId: storeId(store), role: "Voter" })),
  };
}

/** What the leader of a sketched Region reports. */
export function leaderReport(
  sketch: RegionSketch,
  {
    store = 1,
    term = 6,
    sizeBytes = 0,
  }: { readonly store?: number; readonly term?: number; readonly sizeBytes?: number } = {},
): LeaderReport {
  const reported = region(sketch);
  return {
    regionId: reported.id,
    peerId: peerId(sketch.id * 100 + store),
    epoch: reported.epoch,
    isLeader: true,
    storeId: storeId(store),
    region: reported,
    term,
    approximateSizeBytes: sizeBytes,
    approximateKeyCount: 0,
    downPeerIds: [],
    pendingPeerIds: [],
    damagedPeerIds: [],
    load: NO_LOAD,
    verifiedIndex: 0,
    isMerging: false,
  };
}
