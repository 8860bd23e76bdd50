import {
  type Region,
  type StoreId,
  compareKeys,
  epochsEqual,
  limits,
  peerById,
  peerId,
  regionId,
  safeInteger,
} from "@flaredb/rdb-base";
import {
  type RegionLoad as WireLoad,
  type RegionReport,
  epochFromProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { NO_LOAD, type RegionLoad, type Report } from "../cluster/region-info.ts";
import { fromWire, invalid } from "./from-wire.ts";

/**
 * A Store's reports, checked.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT that names the field: a Region twice, a leader's report without its Region,
 * or with one that does not have this peer on this Store
 */
export function reportsFromProto(storeId: StoreId, messages: readonly RegionReport[]): Report[] {
  const reports = messages.map((message) => fromWire(() => reportFromProto(storeId, message)));
  const seen = new Set<number>();
  for (const report of reports) {
    if (seen.has(report.regionId)) {
      throw invalid("regions", `name region ${report.regionId} twice`);
    }
    seen.add(report.regionId);
  }
  return reports;
}

function reportFromProto(storeId: StoreId, message: RegionReport): Report {
  if (message.regionId === 0n || message.peerId === 0n) {
    throw invalid(
      "regions",
      `hold a report of region ${message.regionId}, peer ${message.peerId}: both must be >= 1`,
    );
  }
  const common = {
    regionId: regionId(message.regionId),
    peerId: peerId(message.peerId),
    epoch: epochFromProto(message.epoch),
  };
  if (!message.isLeader) {
    return { ...common, isLeader: false };
  }
  if (message.region === undefined) {
    throw invalid("region", `is missing in the report of region ${common.regionId}'s leader`);
  }
  const region = regionFromProto(message.region);
  if (region.id !== common.regionId || !epochsEqual(region.epoch, common.epoch)) {
    throw invalid(
      "region",
      `${region.id} is not the reported region ${common.regionId} at the reported epoch`,
    );
  }
  if (peerById(region, common.peerId)?.storeId !== storeId) {
    throw invalid(
      "region",
      `${region.id} has no peer ${common.peerId} on store ${storeId}, which reports to lead it`,
    );
  }
  checkRange(region);
  return {
    ...common,
    isLeader: true,
    storeId,
    region,
    term: safeInteger(message.term, "term"),
    approximateSizeBytes: safeInteger(message.approximateSizeBytes, "approximate size"),
    approximateKeyCount: safeInteger(message.approximateKeyCount, "approximate key count"),
    downPeerIds: message.downPeerIds.map(peerId),
    pendingPeerIds: message.pendingPeerIds.map(peerId),
    damagedPeerIds: message.damagedPeerIds.map(peerId),
    load: message.load === undefined ? NO_LOAD : loadFromProto(message.load),
    verifiedIndex: safeInteger(message.verifiedIndex, "verified index"),
    isMerging: message.isMerging,
  };
}

function loadFromProto(load: WireLoad): RegionLoad {
  return {
    writtenBytesPerSecond: safeInteger(load.writtenBytesPerSecond, "written bytes per second"),
    writtenKeysPerSecond: safeInteger(load.writtenKeysPerSecond, "written keys per second"),
    readBytesPerSecond: safeInteger(load.readBytesPerSecond, "read bytes per second"),
    readKeysPerSecond: safeInteger(load.readKeysPerSecond, "read keys per second"),
  };
}

function checkRange(region: Region): void {
  const longest = Math.max(region.startKey.length, region.endKey.length);
  if (longest > limits.keyMaxBytes) {
    throw invalid(
      "region",
      `${region.id} has a key of ${longest} bytes, keyMaxBytes is ${limits.keyMaxBytes}`,
    );
  }
  if (region.endKey.length > 0 && compareKeys(region.startKey, region.endKey) >= 0) {
    throw invalid("region", `${region.id} holds no key`);
  }
}
