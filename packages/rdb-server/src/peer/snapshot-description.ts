import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { RdbError, type Region, type RegionId, regionId, safeInteger } from "@flaredb/rdb-base";
import { SnapshotDescriptionSchema, regionFromProto, regionToProto } from "@flaredb/rdb-proto";
import type { ApplyState } from "@flaredb/rdb-storage";

/** What a MsgSnap says of the content, which streams apart. */
export interface SnapshotDescription {
  readonly snapshotId: string;
  readonly region: Region;
  readonly revision: number;
  readonly logTimeMs: number;
  /** Regions that this one has taken by merges: whatever their ranges were, no peer of theirs is left beside it. */
  readonly taken: readonly RegionId[];
}

/**
 * Names a Region's content at one entry. Whoever makes it, it is the same content, so the name also finds a received
 * snapshot again after a restart in the middle of its installation.
 */
export function snapshotIdOf(place: {
  readonly regionId: RegionId;
  readonly term: number;
  readonly index: number;
}): string {
  return `${place.regionId}-${place.term}-${place.index}`;
}

/** @param taken Regions that this one has taken by merges */
export function encodeSnapshotDescription(
  region: Region,
  state: ApplyState,
  taken: readonly RegionId[] = [],
): Uint8Array {
  return toBinary(SnapshotDescriptionSchema, {
    $typeName: "rdb.v1.SnapshotDescription",
    snapshotId: snapshotIdOf({ regionId: region.id, term: state.term, index: state.index }),
    region: regionToProto(region),
    revision: BigInt(state.revision),
    logTimeMs: BigInt(state.logTimeMs),
    takenRegionIds: taken.map(BigInt),
  });
}

/** @throws RdbError RDB_INVALID_ARGUMENT when the bytes are no description */
export function decodeSnapshotDescription(data: Uint8Array): SnapshotDescription {
  try {
    const { snapshotId, region, revision, logTimeMs, takenRegionIds } = fromBinary(
      SnapshotDescriptionSchema,
      data,
    );
    if (region === undefined) {
      throw new RdbError("RDB_INVALID_ARGUMENT", "snapshot description has no region");
    }
    return {
      snapshotId,
      region: regionFromProto(region),
      revision: safeInteger(revision, "snapshot revision"),
      logTimeMs: safeInteger(logTimeMs, "snapshot log time"),
      taken: takenRegionIds.map(regionId),
    };
  } catch (error) {
    throw RdbError.from(error, "RDB_INVALID_ARGUMENT");
  }
}
