import { RdbError } from "@flaredb/rdb-base";
import type { StoreStatus } from "@flaredb/rdb-proto";
import type { Globals } from "../../globals.ts";

/** @throws RdbError RDB_NOT_FOUND when PD knows no such Store */
export async function fetchStore(globals: Globals, storeId: bigint): Promise<StoreStatus> {
  const { callPd } = await import("../../pd-caller.ts");
  const { status } = await callPd(globals, (pd, options) => pd.getStore({ storeId }, options));
  if (status === undefined) {
    throw new RdbError(
      "RDB_NOT_FOUND",
      `the placement driver knows no Store ${storeId}; see \`rdb store list\``,
    );
  }
  return status;
}
