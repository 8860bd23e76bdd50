import type { RegionId } from "@flaredb/rdb-base";
import type { Engine } from "./engine.ts";
import { stateKey, stateKinds } from "./key-codec.ts";
import type { WritePart } from "./write-part.ts";

const MARK = Uint8Array.of(1);

/** Notes that the Region's rows here are not what they should be: the peer serves nobody, after a restart too. */
export function putDamageMark(part: WritePart, regionId: RegionId): void {
  part.put("region", stateKey(regionId, stateKinds.damaged), MARK);
}

export function hasDamageMark(engine: Engine, regionId: RegionId): boolean {
  return engine.get("region", stateKey(regionId, stateKinds.damaged)) !== undefined;
}

/** All rows are replaced by those of another peer, or the peer is gone. */
export function deleteDamageMark(part: WritePart, regionId: RegionId): void {
  part.delete("region", stateKey(regionId, stateKinds.damaged));
}
