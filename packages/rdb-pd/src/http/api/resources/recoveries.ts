import { z } from "zod";
import { pdLimits } from "../../../limits.ts";
import { planDocument, planSchema, recoveryDocument, recoverySchema } from "../documents/recovery.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { id, idInPath } from "../schemas.ts";

const params = z.strictObject({ recoveryId: idInPath });

const wish = {
  lostStoreIds: z
    .array(id)
    .min(1)
    .max(pdLimits.storeMaxCount)
    .describe("All Stores that never come back. Every other one has to answer."),
  createEmpty: z
    .boolean()
    .default(false)
    .describe("Make empty Regions where no peer of a key range is left."),
};

const planBody = z.strictObject(wish).meta({ id: "RecoveryWish" });
const beginBody = z
  .strictObject({
    ...wish,
    fingerprint: z.string().min(1).max(pdLimits.fingerprintMaxLength).describe("Of the plan that you saw."),
  })
  .meta({ id: "RecoveryBegin" });

export const recoveryEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "POST",
    path: "/recoveries/plan",
    id: "planRecovery",
    tag: "recoveries",
    summary: "What can be saved when Stores are lost for good; changes nothing",
    description: "Asks every other Store for all of its peers. Refused while a Store that is named answers.",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    body: planBody,
    answer: planSchema,
    handle: async ({ body: { lostStoreIds, createEmpty } }, { calls }) => {
      const request = { lostStoreIds: lostStoreIds.map(BigInt), createEmpty };
      return planDocument((await calls.admin.planRecovery(request)).plan);
    },
  }),
  endpoint({
    method: "POST",
    path: "/recoveries",
    id: "beginRecovery",
    tag: "recoveries",
    summary: "Give Stores up for ever, and bring Regions back without them",
    description:
      "Loses acknowledged writes that the one peer of a Region does not have. Refused when the plan would be another one by now.",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT", "RDB_EPOCH_NOT_MATCH", "RDB_ALREADY_EXISTS"],
    body: beginBody,
    answer: recoverySchema,
    handle: async ({ body: { lostStoreIds, createEmpty, fingerprint } }, { calls }) => {
      const request = { lostStoreIds: lostStoreIds.map(BigInt), createEmpty, fingerprint };
      return recoveryDocument((await calls.admin.beginRecovery(request)).recovery);
    },
  }),
  endpoint({
    method: "GET",
    path: "/recoveries",
    id: "listRecoveries",
    tag: "recoveries",
    summary: "Recoveries that were begun, the latest first",
    access: "leader",
    answer: z.strictObject({ recoveries: z.array(recoverySchema) }).meta({ id: "RecoveryList" }),
    handle: async (_input, { calls }) => {
      const { recoveries } = await calls.admin.listRecoveries({});
      return { recoveries: recoveries.map(recoveryDocument) };
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/recoveries/{recoveryId}",
    id: "cancelRecovery",
    tag: "recoveries",
    summary: "Do not carry out what is not carried out yet",
    description: "What was carried out stays, and so do the Stores that were given up.",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: recoverySchema,
    handle: async ({ params: { recoveryId } }, { calls }) => {
      const { recovery } = await calls.admin.cancelRecovery({ recoveryId: BigInt(recoveryId) });
      return recoveryDocument(recovery);
    },
  }),
];
