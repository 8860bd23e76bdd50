import { peerFromProto, regionFromProto } from "@flaredb/rdb-proto";
import { RdbError } from "@flaredb/rdb-base";
import type { RouteKey } from "../rpc/command-keys.ts";
import type { RegionPlace } from "../rpc/kv-router.ts";
import type { PdConnection } from "./pd-connection.ts";

/**
 * Asks PD which Region holds a key, and who leads it.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE; what PD refuses, such as RDB_CLUSTER_NOT_BOOTSTRAPPED
 */
export async function lookUpRegion(
  connection: PdConnection,
  { key, before }: RouteKey,
): Promise<RegionPlace> {
  const { route } = await connection.call((client, options) => client.getRegion({ key, before }, options));
  if (route?.region === undefined) {
    throw new RdbError("RDB_REGION_NOT_FOUND", "the placement driver knows no Region for the key");
  }
  return {
    region: regionFromProto(route.region),
    leader: route.leader === undefined ? undefined : peerFromProto(route.leader),
  };
}
