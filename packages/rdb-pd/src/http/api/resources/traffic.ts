import { formatKey } from "@flaredb/rdb-base";
import { z } from "zod";
import { heatKinds } from "../../../traffic/heat-column.ts";
import { trafficLimits } from "../../../traffic/limits.ts";
import { toHex } from "../documents/region.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, digits, keyHex, keyOf, keyText, timeMs } from "../schemas.ts";

const rate = z.number().min(0);
const durationMs = z.number().min(0).nullable();

const flowsSchema = z
  .strictObject({
    points: z
      .array(
        z.strictObject({
          timeMs,
          readsPerSecond: rate,
          writesPerSecond: rate,
          readP50Ms: durationMs.describe("Half were answered within; null: there were none."),
          readP99Ms: durationMs.describe("99 of 100 were answered within."),
          writeP50Ms: durationMs,
          writeP99Ms: durationMs,
        }),
      )
      .describe(`The oldest first, at most ${trafficLimits.pointMaxCount}.`),
  })
  .meta({
    id: "Flows",
    description:
      "What all Stores together served, with how long that took in the Stores, without the network.",
  });

const heatSchema = z
  .strictObject({
    kind: z.enum(heatKinds),
    columns: z.array(z.strictObject({ startMs: timeMs, endMs: timeMs })).describe("The oldest first."),
    edges: z
      .array(z.strictObject({ key: z.string(), keyHex: z.string() }))
      .describe(
        "Where each bucket begins, and last where the last one ends: empty for the end of the key space.",
      ),
    values: z.array(z.array(count)).describe("By column, then by bucket; a second."),
  })
  .meta({
    id: "HeatMap",
    description: "What the key space was asked for over time. Cold neighbours share a bucket.",
  });

const { viewColumnMaxCount, viewBucketMaxCount } = trafficLimits;

const heatQuery = z.strictObject({
  kind: z.enum(heatKinds).default("writtenBytes").describe("Each per second."),
  from: digits(0).optional().describe("Milliseconds since 1970. Default: as far back as is known."),
  to: digits(0).optional().describe("Milliseconds since 1970. Default: now."),
  startKey: keyText.optional().describe("Default: the first one."),
  startKeyHex: keyHex.optional().describe("The same as hexadecimal digits."),
  endKey: keyText.optional().describe("The first key behind the part. Default: to the end of the key space."),
  endKeyHex: keyHex.optional().describe("The same as hexadecimal digits."),
  columns: digits(1, viewColumnMaxCount).default(viewColumnMaxCount).describe("Most columns."),
  buckets: digits(1, viewBucketMaxCount).default(viewBucketMaxCount).describe("Most buckets."),
});

const NO_KEY = new Uint8Array();

export const trafficEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/flows",
    id: "getFlows",
    tag: "traffic",
    summary: "Throughput and latency over the last minutes",
    description:
      "Kept in memory by the member of PD that leads, which asks the Stores every 2 s while somebody asks here, and every 10 s otherwise.",
    access: "leader",
    answer: flowsSchema,
    handle: (_input, { traffic }) => ({
      points: traffic.points().map((point) => ({
        timeMs: point.timeMs,
        readsPerSecond: rounded(point.readsPerSecond),
        writesPerSecond: rounded(point.writesPerSecond),
        readP50Ms: roundedDuration(point.readP50Ms),
        readP99Ms: roundedDuration(point.readP99Ms),
        writeP50Ms: roundedDuration(point.writeP50Ms),
        writeP99Ms: roundedDuration(point.writeP99Ms),
      })),
    }),
  }),
  endpoint({
    method: "GET",
    path: "/heatmap",
    id: "getHeatMap",
    tag: "traffic",
    summary: "What the key space was asked for over the last twelve hours",
    description: "Kept in memory by the member of PD that leads: it begins anew with each leadership.",
    access: "leader",
    query: heatQuery,
    answer: heatSchema,
    handle: ({ query }, { traffic }) => {
      const { kind, from = 0, to = Number.MAX_SAFE_INTEGER, columns, buckets } = query;
      const view = traffic.heat({
        ...{ kind, fromMs: from, toMs: to, columnMaxCount: columns, bucketMaxCount: buckets },
        startKey: keyOf("startKey", query.startKey, query.startKeyHex) ?? NO_KEY,
        endKey: keyOf("endKey", query.endKey, query.endKeyHex) ?? NO_KEY,
      });
      return {
        kind,
        columns: view.spans.map(({ startMs, endMs }) => ({ startMs, endMs })),
        edges: view.edges.map((key) => ({ key: formatKey(key), keyHex: toHex(key) })),
        values: view.values.map((column) => column.map(Math.round)),
      };
    },
  }),
];

function rounded(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}

function roundedDuration(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 100) / 100;
}
