import { type Instruments, makeInstruments, pdTable } from "@flaredb/rdb-metrics";

/** What a member of PD counts with: plain numbers, for as long as its process lives. */
export type PdMetrics = Instruments<typeof pdTable>;

/** All zero. A member that nobody watches counts for nobody. */
export function makePdMetrics(): PdMetrics {
  return makeInstruments(pdTable);
}
