import type { Endpoint } from "./endpoint.ts";
import { clusterEndpoints } from "./resources/cluster.ts";
import { healthEndpoints } from "./resources/health.ts";
import { storeEndpoints } from "./resources/stores.ts";

/** The whole API, in the order of its documents. */
export const endpoints: readonly Endpoint[] = [...healthEndpoints, ...clusterEndpoints, ...storeEndpoints];
