import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type StoreId, peerOnStore } from "@flaredb/rdb-base";
import {
  StoreHeartbeatRequestSchema,
  RegionReportSchema,
  epochToProto,
  regionToProto,
  reportsDigest,
} from "@flaredb/rdb-proto";
import type { RegionInfo } from "../cluster/region-info.ts";
import { reportsFromProto } from "../rpc/report-codec.ts";
import type { ModelCluster } from "./model-cluster.ts";

/** Every Store sends all of its Regions in full, once: from the bytes on the wire to PD's view, as PD handles them. */
export function measureReports(
  model: ModelCluster,
  nowMs: () => number,
): { readonly count: number; readonly perSecond: number } {
  const { cluster } = model;
  let count = 0;
  let spentMs = 0;
  for (const { id } of model.durable.stores.values()) {
    const bytes = heartbeatOf(model, id);
    const startMs = nowMs();
    const heartbeat = fromBinary(StoreHeartbeatRequestSchema, bytes);
    const reports = reportsFromProto(id, heartbeat.regions);
    for (const region of cluster.routesToRecord(reports)) {
      model.durable.putRegion(region);
    }
    cluster.observe(reports, nowMs());
    cluster.activity(id).reconcile(reports, heartbeat.regionsDigest);
    spentMs += nowMs() - startMs;
    count += reports.length;
  }
  return { count, perSecond: (count / Math.max(spentMs, 1)) * 1_000 };
}

function heartbeatOf(model: ModelCluster, id: StoreId): Uint8Array {
  const { led, followed } = model.cluster.index.of(id);
  const infos = [...led, ...followed].flatMap((each) => model.cluster.region(each) ?? []);
  const regions = infos.map((info) => reportOf(info, id));
  return toBinary(
    StoreHeartbeatRequestSchema,
    create(StoreHeartbeatRequestSchema, {
      clusterId: 1n,
      storeId: BigInt(id),
      regions,
      regionsDigest: reportsDigest(regions),
    }),
  );
}

function reportOf(
  { region, status }: RegionInfo,
  id: StoreId,
): ReturnType<typeof create<typeof RegionReportSchema>> {
  const isLeader = status?.leader?.storeId === id;
  const common = {
    regionId: BigInt(region.id),
    peerId: BigInt(peerOnStore(region, id)?.id ?? 0),
    epoch: epochToProto(region.epoch),
  };
  if (!isLeader || status === undefined) {
    return create(RegionReportSchema, { ...common, isLeader: false });
  }
  return create(RegionReportSchema, {
    ...common,
    isLeader: true,
    region: regionToProto(region),
    term: BigInt(status.term),
    approximateSizeBytes: BigInt(status.approximateSizeBytes),
    approximateKeyCount: BigInt(status.approximateKeyCount),
    load: {
      writtenBytesPerSecond: 1_000n,
      writtenKeysPerSecond: 10n,
      readBytesPerSecond: 5_000n,
      readKeysPerSecond: 50n,
    },
  });
}
