import { z } from "zod";
import { pdLimits } from "../../../limits.ts";
import { storeDocument, storeSchema } from "../documents/store.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { idInPath } from "../schemas.ts";

const params = z.strictObject({ storeId: idInPath });

const labelsBody = z
  .strictObject({
    labels: z
      .record(z.string(), z.string())
      .describe("Set, or with an empty value taken away. Labels that are not named stay."),
  })
  .meta({ id: "LabelChange" });

const limit = z
  .int()
  .min(1)
  .max(pdLimits.storeLimitMaxCount)
  .nullable()
  .describe("null: as all Stores, by the settings storeAddLimit and storeRemoveLimit. Absent: as it is.");

const limitsBody = z
  .strictObject({ addLimit: limit.optional(), removeLimit: limit.optional() })
  .meta({ id: "LimitChange" });

export const storeEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/stores",
    id: "listStores",
    tag: "stores",
    summary: "All Stores with their state and load, those that are gone for good too",
    access: "leader",
    answer: z.strictObject({ stores: z.array(storeSchema) }).meta({ id: "StoreList" }),
    handle: async (_input, { calls }) => {
      const { statuses } = await calls.pd.listStores({});
      return { stores: statuses.map(storeDocument) };
    },
  }),
  endpoint({
    method: "GET",
    path: "/stores/{storeId}",
    id: "getStore",
    tag: "stores",
    summary: "One Store",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: storeSchema,
    handle: async ({ params: { storeId } }, { calls }) => {
      const { status } = await calls.pd.getStore({ storeId: BigInt(storeId) });
      return storeDocument(status);
    },
  }),
  endpoint({
    method: "PATCH",
    path: "/stores/{storeId}/labels",
    id: "setStoreLabels",
    tag: "stores",
    summary: "Change labels of a Store, for good",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    body: labelsBody,
    answer: storeSchema,
    handle: async ({ params: { storeId }, body: { labels } }, { calls }) => {
      const { status } = await calls.admin.setStoreLabels({ storeId: BigInt(storeId), labels });
      return storeDocument(status);
    },
  }),
  endpoint({
    method: "PATCH",
    path: "/stores/{storeId}/limits",
    id: "setStoreLimits",
    tag: "stores",
    summary: "Change how many peers a Store takes in and gives away at a time, for good",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    body: limitsBody,
    answer: storeSchema,
    handle: async ({ params: { storeId }, body: { addLimit, removeLimit } }, { calls }) => {
      const { status } = await calls.admin.setStoreLimits({
        storeId: BigInt(storeId),
        ...(addLimit === undefined ? {} : { addLimit: addLimit ?? 0 }),
        ...(removeLimit === undefined ? {} : { removeLimit: removeLimit ?? 0 }),
      });
      return storeDocument(status);
    },
  }),
  endpoint({
    method: "POST",
    path: "/stores/{storeId}/decommission",
    id: "decommissionStore",
    tag: "stores",
    summary: "Empty a Store; then it is gone for good",
    description: "Its peers go to other Stores. Refused where those that stay are fewer than `replicas`.",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT", "RDB_ALREADY_EXISTS"],
    params,
    answer: storeSchema,
    handle: async ({ params: { storeId } }, { calls }) => {
      const { status } = await calls.admin.decommissionStore({ storeId: BigInt(storeId) });
      return storeDocument(status);
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/stores/{storeId}/decommission",
    id: "cancelDecommission",
    tag: "stores",
    summary: "Let a Store stay that is being emptied",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: storeSchema,
    handle: async ({ params: { storeId } }, { calls }) => {
      const { status } = await calls.admin.cancelDecommission({ storeId: BigInt(storeId) });
      return storeDocument(status);
    },
  }),
  ...[
    {
      method: "POST",
      id: "evictLeaders",
      stop: false,
      summary: "Let a Store lead nothing, until that is taken back",
    },
    { method: "DELETE", id: "stopEvictingLeaders", stop: true, summary: "Let a Store lead again" },
  ].map(({ method, id, stop, summary }) =>
    endpoint({
      method: method as "POST" | "DELETE",
      path: "/stores/{storeId}/leader-eviction",
      id,
      tag: "stores",
      summary,
      access: "leader",
      refuses: ["RDB_NOT_FOUND"],
      params,
      answer: storeSchema,
      handle: async ({ params: { storeId } }, { calls }) => {
        const { status } = await calls.admin.evictLeaders({ storeId: BigInt(storeId), stop });
        return storeDocument(status);
      },
    }),
  ),
];
