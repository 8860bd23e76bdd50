import { RdbError, type Region, type RegionId } from "@flaredb/rdb-base";
import { regionFromProto } from "@flaredb/rdb-proto";
import type { PdConnection } from "./pd-connection.ts";

/**
 * A Region as PD knows it; undefined when it does not, which is no evidence of anything.
 *
 * @throws RdbError RDB_PD_UNAVAILABLE when no member answers
 */
export async function findRegion(connection: PdConnection, regionId: RegionId): Promise<Region | undefined> {
  try {
    const { route } = await connection.call((client, options) =>
      client.getRegionById({ regionId: BigInt(regionId) }, options),
    );
    return route?.region === undefined ? undefined : regionFromProto(route.region);
  } catch (error) {
    if (RdbError.from(error).code === "RDB_NOT_FOUND") {
      return undefined;
    }
    throw error;
  }
}
