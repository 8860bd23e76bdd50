import { createClient } from "@connectrpc/connect";
import { RdbError, compareKeys, keyAfter } from "@flaredb/rdb-base";
import { KvService } from "@flaredb/rdb-proto";
import { type TlsIdentity, fromConnectError, unaryTransport } from "@flaredb/rdb-wire";
import type { PlacementDriver } from "../placement-driver.ts";

/** A row as a Store has it. */
interface DataRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
}

/** Rows of one Region. */
interface DataPage {
  readonly rows: readonly DataRow[];
  /** Where the next page begins; undefined: that was all. */
  readonly nextKey: Uint8Array | undefined;
}

interface DataRange {
  readonly startKey: Uint8Array;
  /** Empty: to the end of the key space. */
  readonly endKey: Uint8Array;
  readonly limit: number;
}

/** Reads the users' rows for people who look at them; linearizable, a Region at a time. */
export interface DataReader {
  /**
   * @throws RdbError RDB_PERMISSION_DENIED where the setting `dataAccess` is `off`; RDB_REGION_NOT_FOUND, RDB_UNAVAILABLE
   * and what the Store refuses
   */
  scan(range: DataRange): Promise<DataPage>;
}

/** Where nobody may look at data. */
export const noDataReader: DataReader = {
  scan: () =>
    Promise.reject(
      new RdbError("RDB_PERMISSION_DENIED", 'this PD shows no data: its setting dataAccess is "off"'),
    ),
};

/** Of one answer, before it is cut for people. */
const PAGE_MAX_BYTES = 1_048_576;
const TIMEOUT_MS = 5_000;

/**
 * Asks the Stores, as any client does.
 *
 * @param driver whose map says which Store to ask
 */
export function storeDataReader(tls: TlsIdentity | undefined, driver: () => PlacementDriver): DataReader {
  return {
    scan: async ({ startKey, endKey, limit }) => {
      const connection = unaryTransport(leaderAddress(driver(), startKey), {}, tls);
      try {
        const client = createClient(KvService, connection.transport);
        const page = await client.scan(
          { startKey, endKey, limit, maxBytes: PAGE_MAX_BYTES },
          { timeoutMs: TIMEOUT_MS },
        );
        const rows = page.rows.map(({ key, value, version }) => ({ key, value, version: Number(version) }));
        return { rows, nextKey: nextKey(rows, page.hasMore, page.regionEndKey, endKey) };
      } catch (error) {
        throw fromConnectError(error);
      } finally {
        connection.close();
      }
    },
  };
}

/** The Region's leader, or any Store that has it: each finds the way on. */
export function leaderAddress(driver: PlacementDriver, key: Uint8Array): string {
  const { region, status } = driver.lookup.regionOf(key, false);
  const stores = driver.lookup.storesOf(region);
  const leader = stores.find(({ store }) => store.id === status?.leader?.storeId);
  const asked = leader ?? stores.find(({ condition }) => condition === "Up") ?? stores[0];
  if (asked === undefined) {
    throw new RdbError("RDB_UNAVAILABLE", `no Store of region ${region.id} is known`);
  }
  return asked.store.address;
}

function nextKey(
  rows: readonly DataRow[],
  hasMore: boolean,
  regionEndKey: Uint8Array,
  endKey: Uint8Array,
): Uint8Array | undefined {
  const last = rows.at(-1);
  if (hasMore && last !== undefined) {
    return keyAfter(last.key);
  }
  const isAll = regionEndKey.length === 0 || (endKey.length > 0 && compareKeys(regionEndKey, endKey) >= 0);
  return isAll ? undefined : regionEndKey;
}
