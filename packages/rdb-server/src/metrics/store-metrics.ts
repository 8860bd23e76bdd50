import { type Instruments, makeInstruments, storeTable } from "@flaredb/rdb-metrics";

/** What a Store counts with. Its parts add to plain numbers; whoever shows them is not their business. */
export type StoreMetrics = Instruments<typeof storeTable>;

/** All zero. A Store that nobody watches counts for nobody. */
export function makeStoreMetrics(): StoreMetrics {
  return makeInstruments(storeTable);
}
