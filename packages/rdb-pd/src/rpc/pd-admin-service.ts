import type { ServiceImpl } from "@connectrpc/connect";
import { type RegionId, type StoreId, regionId, safeInteger, storeId } from "@flaredb/rdb-base";
import type { PdAdminService } from "@flaredb/rdb-proto";
import type { PlacementAdmin } from "../admin/placement-admin.ts";
import type { PeerAnswer } from "../admin/region-peers.ts";
import { parseAddress } from "@flaredb/rdb-wire";
import { pdLimits } from "../limits.ts";
import type { MemberKeeper } from "../member/member-keeper.ts";
import type { RecoveryWish } from "../recovery/recovery-codec.ts";
import { operatorToProto } from "../operator/operator-codec.ts";
import { checkKey, checkLabels, checkText, fromWire, invalid } from "./from-wire.ts";
import { peerProgressToProto } from "./progress-codec.ts";
import { explanationToProto, schedulerToProto } from "./scheduler-codec.ts";
import { storeStatusToProto } from "./view-codec.ts";

/** Operators in one answer when no limit is asked for. */
const HISTORY_DEFAULT_COUNT = 100;

/** PdAdminService: what is checked at the edge, and its way to the placement driver and back. */
export function pdAdminService(
  admin: PlacementAdmin,
  members: MemberKeeper,
  askPeers: (id: RegionId) => Promise<readonly PeerAnswer[]>,
): ServiceImpl<typeof PdAdminService> {
  return {
    getRegionPeers: async (request) => ({
      peers: (await askPeers(regionOf(request))).map(peerProgressToProto),
    }),
    ...memberMethods(members),
    ...peerMethods(admin),
    ...regionMethods(admin),
    ...storeMethods(admin),
    ...operatorMethods(admin),
    ...schedulerMethods(admin),
    ...recoveryMethods(admin),
  };
}

type Methods<Name extends keyof ServiceImpl<typeof PdAdminService>> = Pick<
  ServiceImpl<typeof PdAdminService>,
  Name
>;

function peerMethods({
  peers,
}: PlacementAdmin): Methods<"addPeer" | "removePeer" | "movePeer" | "transferRegionLeader"> {
  return {
    addPeer: (request) => ({
      operator: operatorToProto(peers.add(regionOf(request), storeOf("store_id", request.storeId))),
    }),
    removePeer: (request) => ({
      operator: operatorToProto(peers.remove(regionOf(request), storeOf("store_id", request.storeId))),
    }),
    movePeer: (request) => ({
      operator: operatorToProto(
        peers.move(
          regionOf(request),
          storeOf("from_store_id", request.fromStoreId),
          storeOf("to_store_id", request.toStoreId),
        ),
      ),
    }),
    transferRegionLeader: (request) => ({
      operator: operatorToProto(
        peers.transferLeader(regionOf(request), storeOf("to_store_id", request.toStoreId)),
      ),
    }),
  };
}

function regionMethods({
  regions,
}: PlacementAdmin): Methods<"splitRegionAt" | "mergeRegions" | "checkReplicas" | "scatterRegions"> {
  return {
    splitRegionAt: (request) => {
      const keys = request.keys.map((key) => checkKey("keys", key));
      return { operator: operatorToProto(regions.split(regionOf(request), keys, request.partCount)) };
    },
    mergeRegions: (request) => {
      const target =
        request.targetRegionId === 0n ? undefined : fromWire(() => regionId(request.targetRegionId));
      return { operator: operatorToProto(regions.merge(regionOf(request), target)) };
    },
    checkReplicas: (request) => ({
      verifiedIndexBefore: BigInt(regions.checkReplicas(regionOf(request))),
    }),
    scatterRegions: async ({ regionIds }) => {
      if (regionIds.length > pdLimits.scatterMaxCount) {
        throw invalid(
          "region_ids",
          `are ${regionIds.length}, scatterMaxCount is ${pdLimits.scatterMaxCount}`,
          pdLimits.scatterMaxCount,
        );
      }
      const ids = [...new Set(regionIds.map((id) => regionOf({ regionId: id })))];
      return { operators: (await regions.scatter(ids)).map(operatorToProto) };
    },
  };
}

function storeMethods({
  stores,
}: PlacementAdmin): Methods<
  "decommissionStore" | "cancelDecommission" | "setStoreLabels" | "setStoreLimits" | "evictLeaders"
> {
  const idOf = (request: { readonly storeId: bigint }): StoreId => storeOf("store_id", request.storeId);
  return {
    decommissionStore: async (request) => ({
      status: storeStatusToProto(await stores.decommission(idOf(request))),
    }),
    cancelDecommission: async (request) => ({
      status: storeStatusToProto(await stores.cancelDecommission(idOf(request))),
    }),
    setStoreLabels: async (request) => ({
      status: storeStatusToProto(await stores.setLabels(idOf(request), checkLabels(request.labels))),
    }),
    setStoreLimits: async (request) => ({
      status: storeStatusToProto(await stores.setLimits(idOf(request), request)),
    }),
    evictLeaders: async (request) => ({
      status: storeStatusToProto(await stores.evictLeaders(idOf(request), request.stop)),
    }),
  };
}

function operatorMethods({
  operators,
}: PlacementAdmin): Methods<"listOperators" | "getOperator" | "cancelOperator" | "listOperatorHistory"> {
  return {
    listOperators: () => ({ operators: operators.list().map(operatorToProto) }),
    getOperator: (request) => ({ operator: operatorToProto(operators.get(operatorOf(request))) }),
    cancelOperator: (request) => ({ operator: operatorToProto(operators.cancel(operatorOf(request))) }),
    listOperatorHistory: ({ regionId: region, limit }) => {
      if (limit > pdLimits.operatorHistoryMaxCount) {
        throw invalid(
          "limit",
          `${limit} must be <= ${pdLimits.operatorHistoryMaxCount}`,
          pdLimits.operatorHistoryMaxCount,
        );
      }
      const of = region === 0n ? undefined : fromWire(() => regionId(region));
      const records = operators.history(limit === 0 ? HISTORY_DEFAULT_COUNT : limit, of);
      return { operators: records.map(operatorToProto) };
    },
  };
}

function schedulerMethods({
  schedulers,
}: PlacementAdmin): Methods<
  | "explainRegion"
  | "listSchedulers"
  | "pauseScheduler"
  | "resumeScheduler"
  | "getPlacementConfig"
  | "setPlacementConfig"
> {
  return {
    explainRegion: async (request) => ({
      explanations: (await schedulers.explain(regionOf(request))).map(explanationToProto),
    }),
    listSchedulers: () => ({ schedulers: schedulers.list().map(schedulerToProto) }),
    pauseScheduler: async ({ name, durationMs }) => {
      if (durationMs > BigInt(pdLimits.pauseMaxMs)) {
        throw invalid("duration_ms", `${durationMs} must be <= ${pdLimits.pauseMaxMs}`, pdLimits.pauseMaxMs);
      }
      return { scheduler: schedulerToProto(await schedulers.pause(name, Number(durationMs))) };
    },
    resumeScheduler: async ({ name }) => ({ scheduler: schedulerToProto(await schedulers.resume(name)) }),
    getPlacementConfig: () => ({ settings: schedulers.settings() }),
    setPlacementConfig: async ({ values }) => ({ settings: await schedulers.configure(values) }),
  };
}

function recoveryMethods({
  recovery,
}: PlacementAdmin): Methods<"planRecovery" | "beginRecovery" | "listRecoveries" | "cancelRecovery"> {
  return {
    planRecovery: async (request) => ({ plan: await recovery.plan(wishOf(request)) }),
    beginRecovery: async (request) => {
      checkText("fingerprint", request.fingerprint, {
        minLength: 1,
        maxLength: pdLimits.fingerprintMaxLength,
      });
      return { recovery: await recovery.begin(wishOf(request), request.fingerprint) };
    },
    listRecoveries: () => ({ recoveries: recovery.list() }),
    cancelRecovery: async (request) => {
      checkSet("recovery_id", request.recoveryId);
      const id = fromWire(() => safeInteger(request.recoveryId, "recovery_id"));
      return { recovery: await recovery.cancel(id) };
    },
  };
}

function wishOf(request: {
  readonly lostStoreIds: readonly bigint[];
  readonly createEmpty: boolean;
}): RecoveryWish {
  const { lostStoreIds, createEmpty } = request;
  if (lostStoreIds.length === 0 || lostStoreIds.length > pdLimits.storeMaxCount) {
    throw invalid("lost_store_ids", `are ${lostStoreIds.length}, must be 1 to ${pdLimits.storeMaxCount}`);
  }
  return { lostStoreIds: [...new Set(lostStoreIds.map((id) => storeOf("lost_store_ids", id)))], createEmpty };
}

function memberMethods(
  members: MemberKeeper,
): Methods<"addPdMember" | "removePdMember" | "transferPdLeader"> {
  return {
    addPdMember: async (request) => {
      const { name, address } = request;
      checkText("name", name, { minLength: 1, maxLength: pdLimits.memberNameMaxLength });
      checkText("address", address, { minLength: 1, maxLength: pdLimits.addressMaxLength });
      parseAddress(address);
      const member = await members.add({ name, address });
      return { member: { ...member, id: BigInt(member.id), isLearner: true } };
    },
    removePdMember: async (request) => {
      await members.remove(memberOf("member_id", request.memberId));
      return {};
    },
    transferPdLeader: (request) => {
      members.transferLeader(memberOf("to_member_id", request.toMemberId));
      return {};
    },
  };
}

function memberOf(field: string, id: bigint): number {
  checkSet(field, id);
  return fromWire(() => safeInteger(id, field));
}

function regionOf(request: { readonly regionId: bigint }): RegionId {
  checkSet("region_id", request.regionId);
  return fromWire(() => regionId(request.regionId));
}

function storeOf(field: string, id: bigint): StoreId {
  checkSet(field, id);
  return fromWire(() => storeId(id));
}

function operatorOf(request: { readonly operatorId: bigint }): number {
  checkSet("operator_id", request.operatorId);
  return fromWire(() => safeInteger(request.operatorId, "operator_id"));
}

function checkSet(field: string, id: bigint): void {
  if (id === 0n) {
    throw invalid(field, "must be >= 1");
  }
}
