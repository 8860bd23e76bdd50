import { fromBinary } from "@bufbuild/protobuf";
import { clusterVersions } from "@flaredb/rdb-base";
import { LogCommandSchema, logCommandVersions } from "@flaredb/rdb-proto";
import type { DecodedOp } from "@flaredb/rdb-storage/testing";

/** Of the entries that a part puts into logs, one whose command came with a newer cluster version, in words. */
export function newerEntry(ops: readonly DecodedOp[], knownVersion: number): string | undefined {
  if (knownVersion >= clusterVersions.newest) {
    return undefined;
  }
  for (const op of ops) {
    if (op.kind !== "entry" || op.value === undefined) {
      continue;
    }
    const { type, data } = op.value;
    const command =
      type === "Normal" && data.length > 0 ? fromBinary(LogCommandSchema, data).command.case : undefined;
    if (command !== undefined && logCommandVersions[command] > knownVersion) {
      return `${command} at ${op.index} of Region ${op.regionId} needs version ${logCommandVersions[command]}, some program knows up to ${knownVersion}`;
    }
  }
  return undefined;
}
