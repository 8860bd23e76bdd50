import type { Peer, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import { formatKey, formatRange } from "@flaredb/rdb-base";
import { type KvResponse, type RegionError, peerToProto, regionToProto } from "@flaredb/rdb-proto";

// Messages are written as literals: on the hot path `create` costs more than the encoding.

type Reason = RegionError["reason"];
type Result = KvResponse["result"];

/** The answer to one request. */
export function response(requestId: number, result: Result): KvResponse {
  return { $typeName: "rdb.v1.KvResponse", requestId, result };
}

/** A refusal as the answer to one request. */
export function errorResponse(requestId: number, error: RegionError): KvResponse {
  return response(requestId, { case: "error", value: error });
}

/** Not applied. `leader` is the one that this peer follows, if it knows of one. */
export function notLeader(regionId: RegionId, leader: Peer | undefined): RegionError {
  const hint = leader === undefined ? "no leader is known" : `Store ${leader.storeId} leads`;
  return regionError(
    `this peer does not lead Region ${regionId}: ${hint}`,
    notLeaderReason(BigInt(regionId), leader),
  );
}

/** Not applied. Of a Store that has not opened its Regions yet: it leads none, and knows no leader. */
export function notLeaderYet(regionId: bigint): RegionError {
  return regionError("the Store is starting", notLeaderReason(regionId, undefined));
}

function notLeaderReason(regionId: bigint, leader: Peer | undefined): Reason {
  return {
    case: "notLeader",
    value: {
      $typeName: "rdb.v1.NotLeader",
      regionId,
      leaderAddress: "",
      ...(leader === undefined ? {} : { leader: peerToProto(leader) }),
    },
  };
}

/** Not applied. @param siblings what else covers the range that the Region had for the request */
export function epochNotMatch(
  region: Region,
  requestVersion: number | bigint,
  siblings: readonly Region[] = [],
): RegionError {
  return regionError(
    `Region ${region.id} has version ${region.epoch.version}, the request was made for ${requestVersion}`,
    {
      case: "epochNotMatch",
      value: { $typeName: "rdb.v1.EpochNotMatch", currentRegions: [region, ...siblings].map(regionToProto) },
    },
  );
}

/** Not applied. */
export function regionNotFound(regionId: number | bigint, storeId: StoreId): RegionError {
  return regionError(`Store ${storeId} has no peer of Region ${regionId}`, {
    case: "regionNotFound",
    value: { $typeName: "rdb.v1.RegionNotFound", regionId: BigInt(regionId) },
  });
}

/** Not applied. */
export function keyNotInRegion(key: Uint8Array, region: Region): RegionError {
  return regionError(`key "${formatKey(key)}" is outside Region ${region.id} ${formatRange(region)}`, {
    case: "keyNotInRegion",
    value: { $typeName: "rdb.v1.KeyNotInRegion", key, region: regionToProto(region) },
  });
}

/** A write may or may not have been applied. */
export function staleCommand(why: string): RegionError {
  return staleError(why, false);
}

/** An earlier try was carried out; its condition need not have held. What it answered was too large to be kept. */
export function answerNotKept(): RegionError {
  return staleError("the write was carried out, its answer was too large to be kept", true);
}

function staleError(why: string, isAnswerLost: boolean): RegionError {
  return regionError(why, {
    case: "staleCommand",
    value: { $typeName: "rdb.v1.StaleCommand", answerNotKept: isAnswerLost },
  });
}

/** Not applied. `limit` names what is full. */
export function serverIsBusy(limit: string, backoffMs: number): RegionError {
  return regionError(`the Store is busy: ${limit}`, {
    case: "serverIsBusy",
    value: { $typeName: "rdb.v1.ServerIsBusy", reason: limit, backoffMs },
  });
}

/** Not applied. */
export function storeNotMatch(requestStoreId: bigint, actual: StoreId): RegionError {
  return regionError(`the request is for Store ${requestStoreId}, this is Store ${actual}`, {
    case: "storeNotMatch",
    value: { $typeName: "rdb.v1.StoreNotMatch", requestStoreId, actualStoreId: BigInt(actual) },
  });
}

/** Not applied by this try. The write was issued too long before the Region's log time, or ahead of it. */
export function requestExpired(issuedAtMs: number, logTimeMs: number): RegionError {
  const difference = logTimeMs - issuedAtMs;
  const when = difference > 0 ? `${difference} ms before` : `${-difference} ms ahead of`;
  return regionError(`the write was issued ${when} the Region's log time`, {
    case: "requestExpired",
    value: { $typeName: "rdb.v1.RequestExpired", logTimeMs: BigInt(logTimeMs) },
  });
}

/** Not applied by this try. */
export function sequenceClosed(sequence: number, floor: number): RegionError {
  return regionError(`sequence ${sequence} is closed: the client said that ${floor} is its lowest open one`, {
    case: "sequenceClosed",
    value: { $typeName: "rdb.v1.SequenceClosed" },
  });
}

/** Not applied; trying again does not help. */
export function invalidArgument(field: string, message: string): RegionError {
  return regionError(message, {
    case: "invalidArgument",
    value: { $typeName: "rdb.v1.InvalidArgument", field },
  });
}

/** Not applied. */
export function diskFull(): RegionError {
  return regionError("the Store's disk is nearly full: it takes no writes until space is freed", {
    case: "diskFull",
    value: { $typeName: "rdb.v1.DiskFull" },
  });
}

/** Reads only. */
export function dataCorrupt(message: string): RegionError {
  return regionError(message, { case: "dataCorrupt", value: { $typeName: "rdb.v1.DataCorrupt" } });
}

function regionError(message: string, reason: Reason): RegionError {
  return { $typeName: "rdb.v1.RegionError", message, reason };
}
