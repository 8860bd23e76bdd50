import { safeInteger } from "@flaredb/rdb-base";
import type { PdConnection } from "./pd-connection.ts";

/**
 * Ids that nothing in the cluster has, one after the other.
 *
 * @returns the first
 * @throws RdbError RDB_PD_UNAVAILABLE when no member answers
 */
export async function allocateIds(connection: PdConnection, count: number): Promise<number> {
  const { firstId } = await connection.call((client, options) => client.allocateIds({ count }, options));
  return safeInteger(firstId, "id");
}
