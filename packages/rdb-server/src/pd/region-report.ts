import { create } from "@bufbuild/protobuf";
import { type RegionReport, RegionReportSchema, epochToProto, regionToProto } from "@flaredb/rdb-proto";
import type { RegionStatus } from "../store/store-handle.ts";

/** A peer's status as PD hears it: followers tell only that they are there. */
export function regionReport(status: RegionStatus): RegionReport {
  const common = {
    regionId: BigInt(status.region.id),
    peerId: BigInt(status.peerId),
    epoch: epochToProto(status.region.epoch),
    isLeader: status.isLeader,
  };
  if (!status.isLeader) {
    return create(RegionReportSchema, common);
  }
  return create(RegionReportSchema, {
    ...common,
    region: regionToProto(status.region),
    term: BigInt(status.term),
    approximateSizeBytes: wholeNumber(status.approximateSizeBytes),
    approximateKeyCount: wholeNumber(status.approximateKeyCount),
    load: {
      writtenBytesPerSecond: wholeNumber(status.load.writtenBytesPerSecond),
      writtenKeysPerSecond: wholeNumber(status.load.writtenKeysPerSecond),
      readBytesPerSecond: wholeNumber(status.load.readBytesPerSecond),
      readKeysPerSecond: wholeNumber(status.load.readKeysPerSecond),
    },
    isMerging: status.isMerging,
    downPeerIds: status.downPeerIds.map(BigInt),
    pendingPeerIds: status.pendingPeerIds.map(BigInt),
    damagedPeerIds: status.damagedPeerIds.map(BigInt),
    verifiedIndex: BigInt(status.verifiedIndex),
  });
}

function wholeNumber(value: number): bigint {
  return BigInt(Math.max(0, Math.round(value)));
}
