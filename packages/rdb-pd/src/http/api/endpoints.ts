import type { Endpoint } from "./endpoint.ts";
import { clusterEndpoints } from "./resources/cluster.ts";
import { configEndpoints } from "./resources/config.ts";
import { dataEndpoints } from "./resources/data.ts";
import { eventEndpoints } from "./resources/events.ts";
import { healthEndpoints } from "./resources/health.ts";
import { memberEndpoints } from "./resources/members.ts";
import { recoveryEndpoints } from "./resources/recoveries.ts";
import { operatorEndpoints } from "./resources/operators.ts";
import { regionCommandEndpoints } from "./resources/region-commands.ts";
import { regionSurveyEndpoints } from "./resources/region-surveys.ts";
import { regionEndpoints } from "./resources/regions.ts";
import { schedulerEndpoints } from "./resources/schedulers.ts";
import { storeEndpoints } from "./resources/stores.ts";
import { trafficEndpoints } from "./resources/traffic.ts";

/** The whole API, in the order of its documents. */
export const endpoints: readonly Endpoint[] = [
  ...healthEndpoints,
  ...clusterEndpoints,
  ...storeEndpoints,
  ...regionEndpoints,
  ...regionSurveyEndpoints,
  ...regionCommandEndpoints,
  ...operatorEndpoints,
  ...schedulerEndpoints,
  ...configEndpoints,
  ...memberEndpoints,
  ...recoveryEndpoints,
  ...trafficEndpoints,
  ...dataEndpoints,
  ...eventEndpoints,
];
