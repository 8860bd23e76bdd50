import { compareKeys, formatKey } from "@flaredb/rdb-base";
import type { RegionRoute } from "@flaredb/rdb-proto";
import { z } from "zod";
import { regionDocument, regionSchema, toHex } from "../documents/region.ts";
import { type ApiSource, type Endpoint, endpoint } from "../endpoint.ts";
import { eachRegionPage } from "../region-pages.ts";
import { count, digits, id } from "../schemas.ts";

/** Flaws that one answer of the check names; it counts all. */
const FLAWS_MAX_COUNT = 1_000;

const HOT_MAX_COUNT = 100;

const flawSchema = z
  .strictObject({
    kind: z.enum(["hole", "overlap"]),
    startKey: z.string(),
    startKeyHex: z.string(),
    endKey: z.string().describe("Empty: to the end of the key space."),
    endKeyHex: z.string(),
    leftRegionId: id.nullable().describe("null: none is to its left."),
    rightRegionId: id.nullable().describe("null: none is to its right."),
  })
  .meta({ id: "KeySpaceFlaw", description: "Keys that no Region holds, or two." });

type Flaw = z.output<typeof flawSchema>;

const checkSchema = z
  .strictObject({
    isSound: z.boolean().describe("The Regions tile the key space."),
    regionCount: count,
    flawCount: count,
    flaws: z.array(flawSchema).describe(`The first ${FLAWS_MAX_COUNT}.`),
  })
  .meta({ id: "KeySpaceCheck" });

const dimension = z.enum(["writtenBytes", "writtenKeys", "readBytes", "readKeys"]);

const hotSchema = z
  .strictObject({
    by: dimension,
    regions: z.array(regionSchema).describe("The hottest first; idle ones are left out."),
  })
  .meta({ id: "HotRegions" });

export const regionSurveyEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/regions/check",
    id: "checkRegions",
    tag: "regions",
    summary: "Whether the Regions tile the key space, and where they do not",
    description: "A split that is known only in part shows as a hole for a moment.",
    access: "leader",
    refuses: ["RDB_CLUSTER_NOT_BOOTSTRAPPED"],
    answer: checkSchema,
    handle: async (_input, { calls }) => {
      const first = await surveyKeySpace(calls);
      // What changed between two of its pages looks like a flaw: a true one is there the second time too.
      const second = first.flaws.length === 0 ? first : await surveyKeySpace(calls);
      const known = new Set(first.flaws.map((flaw) => JSON.stringify(flaw)));
      const flaws = second.flaws.filter((flaw) => known.has(JSON.stringify(flaw)));
      return {
        isSound: flaws.length === 0,
        regionCount: second.regionCount,
        flawCount: flaws.length,
        flaws: flaws.slice(0, FLAWS_MAX_COUNT),
      };
    },
  }),
  endpoint({
    method: "GET",
    path: "/regions/hot",
    id: "listHotRegions",
    tag: "regions",
    summary: "The Regions with the most load, by what their leaders last reported",
    access: "leader",
    refuses: ["RDB_CLUSTER_NOT_BOOTSTRAPPED"],
    query: z.strictObject({
      by: dimension.default("writtenBytes").describe("Each per second."),
      limit: digits(1, HOT_MAX_COUNT).default(10),
    }),
    answer: hotSchema,
    handle: async ({ query: { by, limit } }, { calls }) => {
      let hottest: RegionRoute[] = [];
      await eachRegionPage(calls, new Uint8Array(), (routes) => {
        const busy = routes.filter((route) => heatOf(route, by) > 0n);
        hottest = [...hottest, ...busy].sort((a, b) => Number(heatOf(b, by) - heatOf(a, by))).slice(0, limit);
      });
      return { by, regions: hottest.map((route) => regionDocument(route)) };
    },
  }),
];

function heatOf({ load }: RegionRoute, by: z.output<typeof dimension>): bigint {
  return load?.[`${by}PerSecond`] ?? 0n;
}

interface Survey {
  readonly regionCount: number;
  readonly flaws: readonly Flaw[];
}

async function surveyKeySpace(calls: ApiSource["calls"]): Promise<Survey> {
  const flaws: Flaw[] = [];
  let regionCount = 0;
  let left: Edge = { regionId: null, endKey: new Uint8Array(), isLast: false };
  await eachRegionPage(calls, new Uint8Array(), (routes) => {
    for (const { region } of routes) {
      if (region !== undefined) {
        regionCount += 1;
        flaws.push(...flawBetween(left, { regionId: Number(region.id), startKey: region.startKey }));
        const edge = {
          regionId: Number(region.id),
          endKey: region.endKey,
          isLast: region.endKey.length === 0,
        };
        left = reachesFurther(edge, left) ? edge : left;
      }
    }
  });
  const end = left.isLast ? [] : [flaw("hole", left.endKey, new Uint8Array(), left.regionId, null)];
  return { regionCount, flaws: [...flaws, ...end] };
}

/** Where the Regions looked at so far end. */
interface Edge {
  readonly regionId: number | null;
  readonly endKey: Uint8Array;
  /** Its empty end is the end of the key space, not its beginning. */
  readonly isLast: boolean;
}

/** One that lies within the range of one before it does not end that range. */
function reachesFurther(edge: Edge, other: Edge): boolean {
  return !other.isLast && (edge.isLast || compareKeys(edge.endKey, other.endKey) > 0);
}

function flawBetween(
  left: Edge,
  right: { readonly regionId: number; readonly startKey: Uint8Array },
): Flaw[] {
  const order = left.isLast ? 1 : compareKeys(left.endKey, right.startKey);
  if (order === 0) {
    return [];
  }
  return order < 0
    ? [flaw("hole", left.endKey, right.startKey, left.regionId, right.regionId)]
    : [flaw("overlap", right.startKey, left.endKey, left.regionId, right.regionId)];
}

function flaw(
  kind: Flaw["kind"],
  startKey: Uint8Array,
  endKey: Uint8Array,
  leftRegionId: number | null,
  rightRegionId: number | null,
): Flaw {
  return {
    kind,
    ...{ startKey: formatKey(startKey), startKeyHex: toHex(startKey) },
    ...{ endKey: formatKey(endKey), endKeyHex: toHex(endKey) },
    ...{ leftRegionId, rightRegionId },
  };
}
