import { type Peer, RdbError, type Region, assertNever } from "@flaredb/rdb-base";
import {
  type RegionError,
  type RegionRoute,
  type Peer as WirePeer,
  type Region as WireRegion,
  peerFromProto,
  regionFromProto,
} from "@flaredb/rdb-proto";

/**
 * What a Region error tells its caller to do. Every one but `answerLost` and `unknownOutcome` promises that this
 * attempt of a write was not applied and never will be; it says nothing of earlier attempts.
 */
export type RegionAdvice =
  /** Another peer leads, or nobody that the Store knows of. */
  | { readonly kind: "notLeader"; readonly leader: Peer | undefined; readonly leaderAddress: string }
  /** The map is out of date; these Regions are newer. */
  | { readonly kind: "newRegions"; readonly regions: readonly Region[] }
  /** The Store has no peer of the Region. */
  | { readonly kind: "noSuchRegion" }
  /** Another Store answers at the address. */
  | { readonly kind: "wrongStore" }
  /** Not now; `backoffMs` 0: the Store does not say for how long. */
  | { readonly kind: "busy"; readonly backoffMs: number }
  /** This peer's data is damaged. */
  | { readonly kind: "dataCorrupt" }
  /** The request itself is at fault. */
  | { readonly kind: "invalid" }
  /** The write was issued outside of the window around the Region's log time. */
  | { readonly kind: "expired"; readonly logTimeMs: number }
  /** The client has said that it is done with the write. */
  | { readonly kind: "closed" }
  /** The write was carried out, and is not again. What it answered is lost, and so whether its condition held. */
  | { readonly kind: "answerLost" }
  /** A write may be applied, now or later. */
  | { readonly kind: "unknownOutcome" };

export interface ReadRegionError {
  readonly advice: RegionAdvice;
  /** The same as an error, to be the reason when time runs out. */
  readonly error: RdbError;
}

/** A Store's refusal as what to do about it. A reason that this program does not know counts as unknown outcome. */
export function readRegionError(wire: RegionError): ReadRegionError {
  const { reason, message } = wire;
  switch (reason.case) {
    case "notLeader": {
      const leader = peer(reason.value.leader);
      return {
        advice: { kind: "notLeader", leader, leaderAddress: reason.value.leaderAddress },
        error: new RdbError("RDB_NOT_LEADER", message),
      };
    }
    case "epochNotMatch":
      return {
        advice: { kind: "newRegions", regions: regions(reason.value.currentRegions) },
        error: new RdbError("RDB_EPOCH_NOT_MATCH", message),
      };
    case "keyNotInRegion":
      return {
        advice: {
          kind: "newRegions",
          regions: regions(reason.value.region === undefined ? [] : [reason.value.region]),
        },
        error: new RdbError("RDB_KEY_NOT_IN_REGION", message),
      };
    case "regionNotFound":
      return { advice: { kind: "noSuchRegion" }, error: new RdbError("RDB_REGION_NOT_FOUND", message) };
    case "storeNotMatch":
      return { advice: { kind: "wrongStore" }, error: new RdbError("RDB_STORE_NOT_MATCH", message) };
    case "serverIsBusy":
      return {
        advice: { kind: "busy", backoffMs: reason.value.backoffMs },
        error: new RdbError("RDB_SERVER_IS_BUSY", message, { details: { reason: reason.value.reason } }),
      };
    case "diskFull":
      return { advice: { kind: "busy", backoffMs: 0 }, error: new RdbError("RDB_DISK_FULL", message) };
    case "dataCorrupt":
      return { advice: { kind: "dataCorrupt" }, error: new RdbError("RDB_DATA_CORRUPT", message) };
    case "invalidArgument":
      return {
        advice: { kind: "invalid" },
        error: new RdbError("RDB_INVALID_ARGUMENT", message, { details: { field: reason.value.field } }),
      };
    case "staleCommand":
      return {
        advice: { kind: reason.value.answerNotKept ? "answerLost" : "unknownOutcome" },
        error: new RdbError("RDB_STALE_COMMAND", message),
      };
    case "requestExpired":
      return {
        advice: { kind: "expired", logTimeMs: Number(reason.value.logTimeMs) },
        error: new RdbError("RDB_REQUEST_EXPIRED", message),
      };
    case "sequenceClosed":
      return { advice: { kind: "closed" }, error: new RdbError("RDB_SEQUENCE_CLOSED", message) };
    case undefined:
      return {
        advice: { kind: "unknownOutcome" },
        error: new RdbError("RDB_INTERNAL", `Store refused for a reason that is not known here: ${message}`),
      };
    default:
      return assertNever(reason, "reason of a Region error");
  }
}

/** What the placement driver says of a Region; nothing when it says nothing that can be read. */
export function readRoute(
  route: RegionRoute | undefined,
): { readonly region: Region; readonly leader: Peer | undefined } | undefined {
  const [region] = regions(route?.region === undefined ? [] : [route.region]);
  return region && { region, leader: peer(route?.leader) };
}

/** A hint that cannot be read is as good as none. */
function peer(wire: WirePeer | undefined): Peer | undefined {
  try {
    return wire === undefined ? undefined : peerFromProto(wire);
  } catch {
    return undefined;
  }
}

/** Regions that cannot be read are left out: the placement driver is asked then. */
function regions(wire: readonly WireRegion[]): Region[] {
  return wire.flatMap((region) => {
    try {
      return [regionFromProto(region)];
    } catch {
      return [];
    }
  });
}
