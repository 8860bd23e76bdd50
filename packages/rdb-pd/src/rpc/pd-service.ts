import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type StoreId,
  clusterVersions,
  regionId,
  safeInteger,
  saidClusterVersion,
  storeId,
} from "@flaredb/rdb-base";
import {
  AllocateIdsResponseSchema,
  type GetClusterInfoResponse,
  GetClusterInfoResponseSchema,
  GetRegionByIdResponseSchema,
  GetRegionResponseSchema,
  GetStoreResponseSchema,
  ListRegionsResponseSchema,
  ListStoresResponseSchema,
  type PdMember,
  PdMemberSchema,
  type PdService,
  type RegionRoute,
  type RegisterStoreRequest,
  RegisterStoreResponseSchema,
  type Store,
  StoreHeartbeatResponseSchema,
} from "@flaredb/rdb-proto";
import { parseAddress } from "@flaredb/rdb-wire";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { Registration } from "../command/command.ts";
import { pdLimits } from "../limits.ts";
import type { MemberStatus } from "../member/member-info.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import { PROGRAM_VERSION } from "../version.ts";
import { checkBound, checkLabels, checkText, fromWire, invalid } from "./from-wire.ts";
import { heartbeatHandler } from "./region-heartbeat.ts";
import { reportsFromProto } from "./report-codec.ts";
import { senderFromProto } from "./sender.ts";
import { routeToProto, storeStatusToProto, storeToProto } from "./view-codec.ts";

export interface PdServiceOptions {
  readonly driver: PlacementDriver;
  /** Asked at each call. */
  readonly members: () => readonly MemberStatus[];
  readonly wallMs: () => number;
}

/** PdService: what is checked at the edge, and its way into the driver and back. */
export function pdService(options: PdServiceOptions): ServiceImpl<typeof PdService> {
  const { driver } = options;
  return {
    getClusterInfo: () => clusterInfo(driver, options.members()),

    async registerStore(request) {
      const registration = registrationFromProto(request, options.wallMs());
      const clusterId = fromWire(() => safeInteger(request.clusterId, "cluster_id"));
      const store = await driver.registerStore(clusterId, registration);
      return create(RegisterStoreResponseSchema, {
        clusterId: BigInt(driver.clusterId),
        storeId: BigInt(store.id),
        stores: driver.lookup.presentStores().map(storeToProto),
        clusterVersion: driver.cluster.durable.clusterVersion,
      });
    },

    async storeHeartbeat(request) {
      const sender = senderFromProto(request);
      const reports = reportsFromProto(sender.storeId, request.regions);
      const { stats, regionsDigest: digest } = request;
      const said = saidClusterVersion(request.clusterVersion);
      const sendRegions = await driver.heartbeats.timed("store", reports.length, () =>
        driver.storeHeartbeat({ sender, stats, reports, digest, clusterVersion: said }),
      );
      const { clusterVersion } = driver.cluster.durable;
      return create(StoreHeartbeatResponseSchema, { sendRegions, clusterVersion });
    },

    regionHeartbeat: heartbeatHandler(driver),

    async allocateIds(request) {
      const firstId = await driver.allocateIds(request.count);
      return create(AllocateIdsResponseSchema, { firstId: BigInt(firstId) });
    },

    getRegion(request) {
      const info = driver.lookup.regionOf(checkBound("key", request.key), request.before);
      return create(GetRegionResponseSchema, withStores(driver, info));
    },

    getRegionById(request) {
      const info = driver.lookup.regionById(fromWire(() => regionId(request.regionId)));
      return create(GetRegionByIdResponseSchema, withStores(driver, info));
    },

    listRegions(request) {
      const limit = request.limit === 0 ? pdLimits.listRegionsMaxCount : request.limit;
      if (limit > pdLimits.listRegionsMaxCount) {
        throw invalid(
          "limit",
          `${limit} must be <= ${pdLimits.listRegionsMaxCount}`,
          pdLimits.listRegionsMaxCount,
        );
      }
      const startKey = checkBound("start_key", request.startKey);
      const { regions, next } = driver.lookup.regionPage(startKey, limit);
      return create(ListRegionsResponseSchema, {
        routes: regions.map(routeToProto),
        ...(next === undefined ? {} : { nextKey: next.startKey }),
      });
    },

    getStore(request) {
      const id = fromWire(() => storeId(request.storeId));
      return create(GetStoreResponseSchema, { status: storeStatusToProto(driver.lookup.storeById(id)) });
    },

    listStores() {
      return create(ListStoresResponseSchema, {
        statuses: driver.lookup.countedStores().map(storeStatusToProto),
      });
    },
  };
}

function clusterInfo(driver: PlacementDriver, members: readonly MemberStatus[]): GetClusterInfoResponse {
  const { cluster, regions } = driver.cluster.durable;
  const stores = driver.lookup.presentStores();
  return create(GetClusterInfoResponseSchema, {
    clusterId: BigInt(cluster.clusterId),
    bootstrapped: cluster.bootstrapped,
    bootstrapStoreCount: cluster.config?.bootstrapStoreCount ?? 0,
    registeredStoreCount: stores.length,
    members: members.map(memberToProto),
    leaderMemberId: BigInt(driver.log.leaderMemberId),
    regionCount: regions.size,
    regionWithLeaderCount: driver.lookup.ledRegionCount(),
    upStoreCount: stores.filter(({ condition }) => condition === "Up").length,
    programVersion: PROGRAM_VERSION,
    clusterVersion: driver.cluster.durable.clusterVersion,
    newestClusterVersion: clusterVersions.newest,
    clusterVersionWaitsFor: [...driver.clusterVersion.next.waitsFor],
  });
}

function memberToProto({ clusterVersion = 0, ...member }: MemberStatus): PdMember {
  return create(PdMemberSchema, { ...member, clusterVersion, id: BigInt(member.id) });
}

function registrationFromProto(request: RegisterStoreRequest, wallMs: number): Registration {
  const id: StoreId | undefined =
    request.storeId === 0n ? undefined : fromWire(() => storeId(request.storeId));
  const tokenMinLength = id === undefined ? 1 : 0;
  const { addressMaxLength, registrationTokenMaxLength, versionMaxLength } = pdLimits;
  return {
    storeId: id,
    registrationToken: checkText("registration_token", request.registrationToken, {
      minLength: tokenMinLength,
      maxLength: registrationTokenMaxLength,
    }),
    address: checkAddress(request.address),
    httpAddress: checkText("http_address", request.httpAddress, {
      minLength: 0,
      maxLength: addressMaxLength,
    }),
    labels: checkLabels(request.labels),
    programVersion: checkText("program_version", request.programVersion, {
      minLength: 0,
      maxLength: versionMaxLength,
    }),
    clusterVersion: saidClusterVersion(request.clusterVersion),
    bootId: request.bootId,
    startedMs: wallMs,
  };
}

/** Others connect to it, so it has to be one. */
function checkAddress(address: string): string {
  checkText("address", address, { minLength: 1, maxLength: pdLimits.addressMaxLength });
  parseAddress(address);
  return address;
}

function withStores(
  driver: PlacementDriver,
  info: RegionInfo,
): { readonly route: RegionRoute; readonly stores: Store[] } {
  const stores = driver.lookup.storesOf(info.region).map(storeToProto);
  return { route: routeToProto(info), stores };
}
