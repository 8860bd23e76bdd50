import { safeInteger, storeId } from "@flaredb/rdb-base";
import type { Sender } from "../sender-check.ts";
import { fromWire } from "./from-wire.ts";

/** Who a heartbeat says it is from. @throws RdbError RDB_INVALID_ARGUMENT when an id is no safe integer */
export function senderFromProto(request: {
  readonly clusterId: bigint;
  readonly storeId: bigint;
  readonly bootId: bigint;
}): Sender {
  return fromWire(() => ({
    clusterId: safeInteger(request.clusterId, "cluster_id"),
    storeId: storeId(request.storeId),
    bootId: request.bootId,
  }));
}
