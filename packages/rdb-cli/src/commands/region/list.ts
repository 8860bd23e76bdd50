import type { RegionRoute } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { invalid } from "../../input/bytes.ts";
import { parseId } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchRegions } from "./fetch-regions.ts";

interface Options {
  readonly hex?: true;
  readonly store?: string;
  readonly leader?: string;
  readonly state?: string;
}

/** What a Region can be in that somebody should look at. */
const states: Readonly<Record<string, (route: RegionRoute) => boolean>> = {
  leaderless: ({ leader }) => leader === undefined,
  "down-peers": ({ downPeerIds }) => downPeerIds.length > 0,
  "pending-peers": ({ pendingPeerIds }) => pendingPeerIds.length > 0,
  "damaged-peers": ({ damagedPeerIds }) => damagedPeerIds.length > 0,
};

/** `rdb region list` */
export function defineRegionList(parent: Command, shell: Shell): void {
  const command = parent
    .command("list")
    .description("list Regions in the order of their keys")
    .option("--store <id>", "only those with a peer on this Store")
    .option("--leader <id>", "only those that this Store leads")
    .option("--state <state>", `only those that are ${Object.keys(states).join(", ")}`)
    .option("--hex", "print keys as hexadecimal digits");
  defineLook(command, shell, listRegions);
}

async function listRegions(call: Call<Options>): Promise<undefined> {
  const { regionDocument } = await import("../../cluster-json.ts");
  const hex = call.options.hex === true;
  const fits = filterOf(call.options);
  const routes = (await fetchRegions(call.globals)).filter(fits);
  await call.print(
    routes.map((route) => regionDocument(route, hex)),
    async () => {
      const { renderRegions } = await import("../../output/regions.ts");
      return renderRegions(routes, { hex, ...screenOf(call.io) });
    },
  );
}

function filterOf({ store, leader, state }: Options): (route: RegionRoute) => boolean {
  const storeId = store === undefined ? undefined : parseId("store", store);
  const leaderId = leader === undefined ? undefined : parseId("leader", leader);
  const isIn = state === undefined ? () => true : states[state];
  if (isIn === undefined) {
    throw invalid("state", `state "${state}" must be one of ${Object.keys(states).join(", ")}`);
  }
  return (route) =>
    (storeId === undefined || (route.region?.peers ?? []).some((peer) => peer.storeId === storeId)) &&
    (leaderId === undefined || route.leader?.storeId === leaderId) &&
    isIn(route);
}
