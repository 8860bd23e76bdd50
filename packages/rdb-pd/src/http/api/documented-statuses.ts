import type { Endpoint } from "./endpoint.ts";
import { statusOf } from "./problem.ts";

/** Every status that the endpoint answers with when all of PD is sound, its own first. */
export function documentedStatuses(endpoint: Endpoint): number[] {
  const { access, params, query, body, refuses = [], status = 200 } = endpoint;
  const takesInput = params !== undefined || query !== undefined || body !== undefined;
  const refusals = [
    ...(takesInput ? [400] : []),
    ...(access === "public" ? [] : [401, 403]),
    ...(access === "leader" ? [307, 503] : []),
    ...(body === undefined ? [] : [413, 415]),
    ...refuses.map(statusOf),
  ];
  return [status, ...new Set(refusals.sort((a, b) => a - b))];
}
