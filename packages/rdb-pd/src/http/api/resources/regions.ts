import { assertNever, formatKey, hasCode } from "@flaredb/rdb-base";
import type { RegionRoute } from "@flaredb/rdb-proto";
import { z } from "zod";
import { pdLimits } from "../../../limits.ts";
import { regionDocument, regionSchema, toHex } from "../documents/region.ts";
import { peerProgressDocument, regionPeersSchema } from "../documents/peer-progress.ts";
import { type ApiSource, type Endpoint, endpoint } from "../endpoint.ts";
import { invalidInput } from "../problem.ts";
import { eachRegionPage } from "../region-pages.ts";
import { digits, idInPath, keyHex, keyOf, keyText } from "../schemas.ts";

/** Regions that one page with a filter looks at; behind them it ends, and says where to go on. */
export const FILTER_SCAN_MAX_COUNT = 10_000;

const params = z.strictObject({ regionId: idInPath });

const regionState = z.enum(["leaderless", "down-peers", "pending-peers", "damaged-peers"]);

const listQuery = z.strictObject({
  startKey: keyText.optional().describe("From the Region that holds this key on. Default: the first one."),
  startKeyHex: keyHex.optional().describe("The same as hexadecimal digits."),
  limit: digits(1, pdLimits.listRegionsMaxCount)
    .default(pdLimits.listRegionsMaxCount)
    .describe("Regions of one page."),
  storeId: idInPath.optional().describe("Only those with a peer on this Store."),
  leaderStoreId: idInPath.optional().describe("Only those that this Store leads."),
  state: regionState.optional().describe("Only those in this state."),
});

type ListQuery = z.output<typeof listQuery>;

const pageSchema = z
  .strictObject({
    regions: z.array(regionSchema),
    nextKey: z.string().nullable().describe("`startKey` of the next page; null: that was all."),
    nextKeyHex: z.string().nullable(),
  })
  .meta({
    id: "RegionPage",
    description: "With a filter a page may be short, even empty, and not be the last.",
  });

const siblingsSchema = z
  .strictObject({ left: regionSchema.nullable(), right: regionSchema.nullable() })
  .meta({
    id: "Siblings",
    description: "null where the key space ends, or a neighbour is just changing its range.",
  });

export const regionEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/regions",
    id: "listRegions",
    tag: "regions",
    summary: "Regions in the order of their keys, a page at a time",
    access: "leader",
    refuses: ["RDB_CLUSTER_NOT_BOOTSTRAPPED"],
    query: listQuery,
    answer: pageSchema,
    handle: ({ query }, { calls }) => listRegions(calls, query),
  }),
  endpoint({
    method: "GET",
    path: "/regions/by-key",
    id: "getRegionByKey",
    tag: "regions",
    summary: "The Region that holds a key",
    access: "leader",
    refuses: ["RDB_REGION_NOT_FOUND"],
    query: z.strictObject({ key: keyText.optional(), keyHex: keyHex.optional() }),
    answer: regionSchema,
    handle: async ({ query }, { calls }) => {
      const key = keyOf("key", query.key, query.keyHex);
      if (key === undefined) {
        throw invalidInput([{ field: "key", message: "or keyHex must be given" }]);
      }
      const { route } = await calls.pd.getRegion({ key });
      return regionDocument(route);
    },
  }),
  endpoint({
    method: "GET",
    path: "/regions/{regionId}",
    id: "getRegion",
    tag: "regions",
    summary: "One Region",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: regionSchema,
    handle: async ({ params: { regionId } }, { calls }) => {
      const { route } = await calls.pd.getRegionById({ regionId: BigInt(regionId) });
      return regionDocument(route);
    },
  }),
  endpoint({
    method: "GET",
    path: "/regions/{regionId}/peers",
    id: "getRegionPeers",
    tag: "regions",
    summary: "How far each peer of a Region is: terms, indexes, and what the leader knows of the others",
    description: "The peers' Stores are asked now; one that does not answer is waited for 1.5 s.",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: regionPeersSchema,
    handle: async ({ params: { regionId } }, { calls }) => {
      const { peers } = await calls.admin.getRegionPeers({ regionId: BigInt(regionId) });
      return { peers: peers.map(peerProgressDocument) };
    },
  }),
  endpoint({
    method: "GET",
    path: "/regions/{regionId}/siblings",
    id: "getSiblings",
    tag: "regions",
    summary: "A Region's neighbours in the key space",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: siblingsSchema,
    handle: async ({ params: { regionId } }, { calls }) => {
      const { route } = await calls.pd.getRegionById({ regionId: BigInt(regionId) });
      const { startKey, endKey } = route?.region ?? { startKey: NO_KEY, endKey: NO_KEY };
      const left = startKey.length === 0 ? undefined : await neighbour(calls, startKey, true);
      const right = endKey.length === 0 ? undefined : await neighbour(calls, endKey, false);
      return {
        left: left === undefined ? null : regionDocument(left),
        right: right === undefined ? null : regionDocument(right),
      };
    },
  }),
];

const NO_KEY = new Uint8Array();

async function listRegions(
  calls: ApiSource["calls"],
  query: ListQuery,
): Promise<z.output<typeof pageSchema>> {
  const startKey = keyOf("startKey", query.startKey, query.startKeyHex) ?? NO_KEY;
  const { limit, storeId, leaderStoreId, state } = query;
  if (storeId === undefined && leaderStoreId === undefined && state === undefined) {
    const { routes, nextKey } = await calls.pd.listRegions({ startKey, limit });
    return pageDocument(routes, nextKey.length === 0 ? undefined : nextKey);
  }
  return filteredPage(calls, startKey, query);
}

async function filteredPage(
  calls: ApiSource["calls"],
  startKey: Uint8Array,
  query: ListQuery,
): Promise<z.output<typeof pageSchema>> {
  const found: RegionRoute[] = [];
  let lookedAtCount = 0;
  let nextKey: Uint8Array | undefined;
  const behind = await eachRegionPage(calls, startKey, (routes) => {
    lookedAtCount += routes.length;
    for (const route of routes) {
      if (!fits(route, query)) {
        continue;
      }
      if (found.length === query.limit) {
        nextKey = route.region?.startKey;
        return false;
      }
      found.push(route);
    }
    return lookedAtCount < FILTER_SCAN_MAX_COUNT;
  });
  return pageDocument(found, nextKey ?? behind);
}

function pageDocument(
  routes: readonly RegionRoute[],
  next: Uint8Array | undefined,
): z.output<typeof pageSchema> {
  return {
    regions: routes.map((route) => regionDocument(route)),
    nextKey: next === undefined ? null : formatKey(next),
    nextKeyHex: next === undefined ? null : toHex(next),
  };
}

function fits(route: RegionRoute, { storeId, leaderStoreId, state }: ListQuery): boolean {
  const isOn = storeId === undefined || route.region?.peers.some((peer) => Number(peer.storeId) === storeId);
  const isLed = leaderStoreId === undefined || Number(route.leader?.storeId ?? 0n) === leaderStoreId;
  return isOn === true && isLed && (state === undefined || isIn(route, state));
}

function isIn(route: RegionRoute, state: z.output<typeof regionState>): boolean {
  switch (state) {
    case "leaderless":
      return route.leader === undefined;
    case "down-peers":
      return route.downPeerIds.length > 0;
    case "pending-peers":
      return route.pendingPeerIds.length > 0;
    case "damaged-peers":
      return route.damagedPeerIds.length > 0;
    default:
      return assertNever(state, "state of a region");
  }
}

/** Undefined while a split there is known only in part. */
async function neighbour(
  calls: ApiSource["calls"],
  key: Uint8Array,
  before: boolean,
): Promise<RegionRoute | undefined> {
  try {
    return (await calls.pd.getRegion({ key, before })).route;
  } catch (error) {
    if (hasCode(error, "RDB_REGION_NOT_FOUND")) {
      return undefined;
    }
    throw error;
  }
}
