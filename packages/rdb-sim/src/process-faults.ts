/** What can be broken in a real process from within, and how it is told: for whoever starts `bin/faulty-*.mjs`. */
export { noFaults, type FaultCounts, type ProcessFaults } from "./process/process-faults.ts";
export type { FaultsSet, SetFaults } from "./process/listen.ts";
