import type { ServiceImpl } from "@connectrpc/connect";
import { type RegionId, type StoreId, regionId, safeInteger, storeId } from "@flaredb/rdb-base";
import type { PdAdminService } from "@flaredb/rdb-proto";
import type { PlacementAdmin } from "../admin/placement-admin.ts";
import { pdLimits } from "../limits.ts";
import { operatorToProto } from "../operator/operator-codec.ts";
import { fromWire, invalid } from "./from-wire.ts";

/** Operators in one answer when no limit is asked for. */
const HISTORY_DEFAULT_COUNT = 100;

/** PdAdminService: what is checked at the edge, and its way to the placement driver and back. */
export function pdAdminService(admin: PlacementAdmin): Partial<ServiceImpl<typeof PdAdminService>> {
  const { peers, operators } = admin;
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
