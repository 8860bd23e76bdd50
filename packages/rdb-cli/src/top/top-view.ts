import type { GetClusterInfoResponse, RegionRoute, StoreStatus } from "@flaredb/rdb-proto";
import { StoreState } from "@flaredb/rdb-proto";
import { regionDocument, storeDocument } from "../cluster-json.ts";
import { type Heat, hottest } from "../hot-regions.ts";

/** What goes in and out a second. */
export interface Rates {
  readonly writtenBytesPerSecond: number;
  readonly writtenKeysPerSecond: number;
  readonly readBytesPerSecond: number;
  readonly readKeysPerSecond: number;
}

export interface StoreRates {
  readonly status: StoreStatus;
  /** Of the Regions that it leads: leaders take all writes and most reads. */
  readonly rates: Rates;
}

/** What `rdb top` shows at one moment. */
export interface TopView {
  readonly info: GetClusterInfoResponse;
  readonly total: Rates;
  /** Without those that are gone for good. */
  readonly stores: readonly StoreRates[];
  readonly by: Heat;
  readonly regions: readonly RegionRoute[];
}

/** What PD was asked for. */
export interface TopFacts {
  readonly info: GetClusterInfoResponse;
  readonly statuses: readonly StoreStatus[];
  readonly routes: readonly RegionRoute[];
}

/** The view of what PD said, with at most `maxCount` Regions. */
export function topView(
  { info, statuses, routes }: TopFacts,
  { by, maxCount }: { readonly by: Heat; readonly maxCount: number },
): TopView {
  const stores = statuses
    .filter(({ store }) => store?.state !== StoreState.TOMBSTONE)
    .map((status) => ({
      status,
      rates: ratesOf(routes.filter(({ leader }) => leader?.storeId === status.store?.id)),
    }));
  return { info, total: ratesOf(routes), stores, by, regions: hottest(routes, by, maxCount) };
}

/** A view as a document of `--json`. */
export function topDocument({ info, total, stores, by, regions }: TopView, nowMs: number): object {
  return {
    timeMs: nowMs,
    upStoreCount: info.upStoreCount,
    registeredStoreCount: info.registeredStoreCount,
    regionCount: info.regionCount,
    regionWithLeaderCount: info.regionWithLeaderCount,
    total,
    stores: stores.map(({ status, rates }) => ({ ...storeDocument(status), load: rates })),
    by,
    regions: regions.map((route) => regionDocument(route, false)),
  };
}

function ratesOf(routes: readonly RegionRoute[]): Rates {
  const sum = (field: keyof Rates): number =>
    routes.reduce((total, { load }) => total + Number(load?.[field] ?? 0n), 0);
  return {
    writtenBytesPerSecond: sum("writtenBytesPerSecond"),
    writtenKeysPerSecond: sum("writtenKeysPerSecond"),
    readBytesPerSecond: sum("readBytesPerSecond"),
    readKeysPerSecond: sum("readKeysPerSecond"),
  };
}
