import type { ErrorCode } from "@flaredb/rdb-base";
import { z } from "zod";
import { operatorDocument, operatorSchema } from "../documents/operator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { mergeFields, scatterFields, splitFields, wishFor } from "../operator-wishes.ts";
import { count, idInPath } from "../schemas.ts";

const params = z.strictObject({ regionId: idInPath });

/** Of what becomes an operator. */
const refuses: readonly ErrorCode[] = ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT", "RDB_SERVER_IS_BUSY"];

const explanationSchema = z
  .strictObject({
    source: z.string().describe("Name of a checker or scheduler."),
    acts: z.boolean().describe("Whether it would plan an operator now."),
    summary: z.string().describe("What it would do, or why it does nothing."),
    ruledOut: z.array(
      z.strictObject({
        storeId: count,
        filter: z.string().describe("A stable word, as `down`, `same-host`, `limit`, `has-peer`."),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: "Explanation", description: "As `rdb operator explain --json` has it." });

export const regionCommandEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "POST",
    path: "/regions/{regionId}/split",
    id: "splitRegion",
    tag: "regions",
    summary: "Cut a Region at keys, or into parts of about equal size",
    access: "leader",
    status: 202,
    refuses,
    params,
    body: z.strictObject(splitFields).meta({ id: "Split" }),
    answer: operatorSchema,
    handle: async ({ params: { regionId }, body }, { calls }) => {
      const [operator] = await wishFor(calls.admin, { kind: "split", regionId, ...body });
      return operatorDocument(operator);
    },
  }),
  endpoint({
    method: "POST",
    path: "/regions/{regionId}/merge",
    id: "mergeRegion",
    tag: "regions",
    summary: "Let a neighbour take a Region",
    description: "Peers that are on other Stores than the neighbour's are moved first.",
    access: "leader",
    status: 202,
    refuses,
    params,
    body: z.strictObject(mergeFields).meta({ id: "Merge" }),
    answer: operatorSchema,
    handle: async ({ params: { regionId }, body }, { calls }) => {
      const [operator] = await wishFor(calls.admin, { kind: "merge", regionId, ...body });
      return operatorDocument(operator);
    },
  }),
  endpoint({
    method: "POST",
    path: "/regions/scatter",
    id: "scatterRegions",
    tag: "regions",
    summary: "Spread peers and leaders of Regions over the Stores, as if they were placed anew",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND"],
    body: z.strictObject(scatterFields).meta({ id: "Scatter" }),
    answer: z
      .strictObject({
        operators: z.array(operatorSchema).describe("None for a Region that lies well already."),
      })
      .meta({ id: "Begun" }),
    handle: async ({ body }, { calls }) => {
      const operators = await wishFor(calls.admin, { kind: "scatter", ...body });
      return { operators: operators.map(operatorDocument) };
    },
  }),
  endpoint({
    method: "POST",
    path: "/regions/{regionId}/replica-check",
    id: "checkReplicas",
    tag: "regions",
    summary: "Have a Region's peers compared with each other",
    description: "Done when the Region's `verifiedIndex` is above what is answered here.",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: z.strictObject({ verifiedIndexBefore: count }).meta({ id: "ReplicaCheck" }),
    handle: async ({ params: { regionId } }, { calls }) => {
      const { verifiedIndexBefore } = await calls.admin.checkReplicas({ regionId: BigInt(regionId) });
      return { verifiedIndexBefore: Number(verifiedIndexBefore) };
    },
  }),
  endpoint({
    method: "GET",
    path: "/regions/{regionId}/explain",
    id: "explainRegion",
    tag: "regions",
    summary: "What each checker and scheduler would do with a Region now, or why nothing",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: z.strictObject({ explanations: z.array(explanationSchema) }).meta({ id: "Explanations" }),
    handle: async ({ params: { regionId } }, { calls }) => {
      const { explanations } = await calls.admin.explainRegion({ regionId: BigInt(regionId) });
      return {
        explanations: explanations.map(({ source, acts, summary, ruledOut }) => ({
          ...{ source, acts, summary },
          ruledOut: ruledOut.map(({ storeId, filter, reason }) => ({
            storeId: Number(storeId),
            ...{ filter, reason },
          })),
        })),
      };
    },
  }),
];
