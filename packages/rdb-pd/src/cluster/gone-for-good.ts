import { RdbError } from "@flaredb/rdb-base";
import type { StoreInfo } from "./store-info.ts";

/**
 * Why a tombstone, or a Store that was given up, is refused: RDB_STORE_LOST when it was given up; RDB_STORE_DECOMMISSIONED when it was emptied on request, and its process may end in peace;
 * RDB_DATA_FOREIGN when another Store took its address while it was silent, and people have to look.
 */
export function goneForGood({ id, address, replacedBy, isLost }: StoreInfo): RdbError {
  if (isLost === true) {
    return new RdbError(
      "RDB_STORE_LOST",
      `store ${id} was given up as lost when regions were recovered without it: what it has is out of date and must not be served; start it with an empty data folder to get a new id`,
      { details: { storeId: id } },
    );
  }
  const why =
    replacedBy === undefined ? "it was decommissioned" : `store ${replacedBy} took its address ${address}`;
  return new RdbError(
    replacedBy === undefined ? "RDB_STORE_DECOMMISSIONED" : "RDB_DATA_FOREIGN",
    `store ${id} is gone for good: ${why}; start it with an empty data folder to get a new id`,
    { details: { storeId: id } },
  );
}
