import type { Call } from "./history.ts";

/** How many revisions an answered call took. */
export function takenCount(call: Call): number {
  switch (call.op) {
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
      return call.mutations.length;
    case "cas":
    case "conditionalBatch":
      return call.succeeded === true ? call.mutations.length : 0;
    case "deleteRange":
      return 1;
    case "get":
    case "batchGet":
    case "scan":
      return 0;
  }
}
