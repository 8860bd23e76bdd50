import { EMPTY_KEY, type Region, type StoreId, peerId, regionId } from "@flaredb/rdb-base";
import type { ModelCluster } from "./model-cluster.ts";

export interface Tiling {
  readonly regionCount: number;
  /** Where the peers of the Region at this place are; the first leads. */
  readonly storesOf: (at: number) => readonly StoreId[];
  readonly sizeBytesOf: (at: number) => number;
}

/** Fills the model's key space with Regions, in the order of their keys. */
export function addTiledRegions(model: ModelCluster, { regionCount, storesOf, sizeBytesOf }: Tiling): void {
  let nextId = regionCount + 1;
  for (let at = 0; at < regionCount; at++) {
    const region: Region = {
      id: regionId(at + 1),
      startKey: at === 0 ? EMPTY_KEY : keyAt(at),
      endKey: at === regionCount - 1 ? EMPTY_KEY : keyAt(at + 1),
      epoch: { confVer: 1, version: 1 },
      peers: storesOf(at).map((storeId) => ({ id: peerId(nextId++), storeId, role: "Voter" })),
    };
    model.addRegion(region, sizeBytesOf(at));
    if (at % 10_000 === 0) {
      // Nobody writes them to a disk here.
      model.durable.takeChangedRows();
    }
  }
}

function keyAt(at: number): Uint8Array {
  return new TextEncoder().encode(String(at).padStart(10, "0"));
}
