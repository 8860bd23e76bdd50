import {
  type PeerId,
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
  type Region as WireRegion,
  epochFromProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { NO_LOAD, type RegionLoad, type Report } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import { fromWire, invalid } from "./from-wire.ts";

/**
 * A Store's reports, checked.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT that names the field: a Region twice, a leader's report without its Region, with
 * one that does not have this peer on this Store or that cannot be, or with numbers that no Region has
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
  checkPeers(message.region);
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
    approximateSizeBytes: believed(message.approximateSizeBytes, "approximate_size_bytes"),
    approximateKeyCount: believed(message.approximateKeyCount, "approximate_key_count"),
    downPeerIds: peersOf(region, message.downPeerIds, "down_peer_ids"),
    pendingPeerIds: peersOf(region, message.pendingPeerIds, "pending_peer_ids"),
    damagedPeerIds: peersOf(region, message.damagedPeerIds, "damaged_peer_ids"),
    load: message.load === undefined ? NO_LOAD : loadFromProto(message.load),
    verifiedIndex: safeInteger(message.verifiedIndex, "verified index"),
    isMerging: message.isMerging,
  };
}

function loadFromProto(load: WireLoad): RegionLoad {
  return {
    writtenBytesPerSecond: believed(load.writtenBytesPerSecond, "written_bytes_per_second"),
    writtenKeysPerSecond: believed(load.writtenKeysPerSecond, "written_keys_per_second"),
    readBytesPerSecond: believed(load.readBytesPerSecond, "read_bytes_per_second"),
    readKeysPerSecond: believed(load.readKeysPerSecond, "read_keys_per_second"),
  };
}

/** Before anything is made of them: there may be any number. */
function checkPeers({ id, peers }: WireRegion): void {
  if (peers.length > pdLimits.peerMaxCount) {
    const { peerMaxCount } = pdLimits;
    throw invalid("region", `${id} has ${peers.length} peers, peerMaxCount is ${peerMaxCount}`, peerMaxCount);
  }
  for (const part of ["id", "storeId"] as const) {
    if (new Set(peers.map((peer) => peer[part])).size < peers.length) {
      throw invalid("region", `${id} has two peers of the same ${part === "id" ? "id" : "store"}`);
    }
  }
}

/** Those of the ids that are peers of the Region: what a leader thinks of a peer may outlive it by a moment. */
function peersOf(region: Region, ids: readonly bigint[], field: string): PeerId[] {
  const { peerMaxCount } = pdLimits;
  if (ids.length > peerMaxCount) {
    throw invalid(field, `are ${ids.length}, peerMaxCount is ${peerMaxCount}`, peerMaxCount);
  }
  return region.peers.flatMap(({ id }) => (ids.includes(BigInt(id)) ? id : []));
}

/** @throws RdbError RDB_INVALID_ARGUMENT past `believedMaxBytes` */
function believed(value: bigint, field: string): number {
  const most = pdLimits.believedMaxBytes;
  if (value > BigInt(most)) {
    throw invalid(field, `${value} must be <= ${most}`, most);
  }
  return Number(value);
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
