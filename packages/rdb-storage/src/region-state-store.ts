import { FULL_RANGE, KiB, type RegionId } from "@flaredb/rdb-base";
import type { Engine } from "./engine.ts";
import { parseStateKey, stateKey, stateKinds } from "./key-codec.ts";
import {
  type ApplyState,
  type RegionLocalState,
  decodeApplyState,
  decodeRegionLocalState,
  encodeApplyState,
  encodeRegionLocalState,
} from "./region-codec.ts";
import type { WritePart } from "./write-part.ts";

const LIST_PAGE_MAX_COUNT = 512;
const LIST_PAGE_MAX_BYTES = 256 * KiB;

/** Undefined when the Store never had the Region. @throws RdbError RDB_DATA_CORRUPT */
export function getRegionLocalState(engine: Engine, regionId: RegionId): RegionLocalState | undefined {
  const row = engine.get("region", stateKey(regionId, stateKinds.localState));
  return row === undefined ? undefined : decodeRegionLocalState(row);
}

/** Does not ask for sync: whoever needs it does. */
export function putRegionLocalState(part: WritePart, state: RegionLocalState): void {
  part.put("region", stateKey(state.region.id, stateKinds.localState), encodeRegionLocalState(state));
}

/** Undefined before anything was applied. @throws RdbError RDB_DATA_CORRUPT */
export function getApplyState(engine: Engine, regionId: RegionId): ApplyState | undefined {
  const row = engine.get("region", stateKey(regionId, stateKinds.applyState));
  return row === undefined ? undefined : decodeApplyState(row);
}

/** In the same part as the data of the entry, so that each entry is applied exactly once. */
export function putApplyState(part: WritePart, regionId: RegionId, state: ApplyState): void {
  part.put("region", stateKey(regionId, stateKinds.applyState), encodeApplyState(state));
}

/** Once the Region is gone; its local state stays, as the tombstone. */
export function deleteApplyState(part: WritePart, regionId: RegionId): void {
  part.delete("region", stateKey(regionId, stateKinds.applyState));
}

/** Every Region that the Store knows of, tombstones too, by id. @throws RdbError RDB_DATA_CORRUPT */
export async function listRegions(engine: Engine): Promise<RegionLocalState[]> {
  const states: RegionLocalState[] = [];
  const cursor = engine.openCursor("region", FULL_RANGE);
  try {
    for (;;) {
      const { rows, done } = await cursor.next(LIST_PAGE_MAX_COUNT, LIST_PAGE_MAX_BYTES);
      for (const { key, value } of rows) {
        if (parseStateKey(key).kind === stateKinds.localState) {
          states.push(decodeRegionLocalState(value));
        }
      }
      if (done) {
        return states;
      }
    }
  } finally {
    cursor.close();
  }
}
