import { assertNever } from "@flaredb/rdb-base";
import type { Operator } from "@flaredb/rdb-proto";
import { z } from "zod";
import { pdLimits } from "../../limits.ts";
import type { ApiSource } from "./endpoint.ts";
import { invalidInput } from "./problem.ts";
import { bytesOfHex, bytesOfText, id, keyHex, keyText } from "./schemas.ts";

/** How to cut a Region. */
export const splitFields = {
  keys: z
    .array(keyText)
    .max(pdLimits.splitMaxCount)
    .optional()
    .describe("Where to cut, in any order. Without keys: into parts of about equal size."),
  keysHex: z.array(keyHex).max(pdLimits.splitMaxCount).optional().describe("The same as hexadecimal digits."),
  partCount: z
    .int()
    .min(2)
    .max(pdLimits.splitMaxCount + 1)
    .optional()
    .describe("Without keys: how many parts. Default: two."),
};

/** Into which neighbour. */
export const mergeFields = {
  targetRegionId: id.optional().describe("The neighbour that takes it. Default: the smaller one."),
};

export const scatterFields = {
  regionIds: z.array(id).min(1).max(pdLimits.scatterMaxCount).describe("To be placed as if they were new."),
};

const regionId = id;

/** Every kind of operator that people can ask for. */
export const operatorWish = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("add-peer"), regionId, storeId: id }),
    z.strictObject({ kind: z.literal("remove-peer"), regionId, storeId: id }),
    z.strictObject({ kind: z.literal("move-peer"), regionId, fromStoreId: id, toStoreId: id }),
    z.strictObject({ kind: z.literal("transfer-leader"), regionId, toStoreId: id }),
    z.strictObject({ kind: z.literal("split"), regionId, ...splitFields }),
    z.strictObject({ kind: z.literal("merge"), regionId, ...mergeFields }),
    z.strictObject({ kind: z.literal("scatter"), ...scatterFields }),
  ])
  .meta({ id: "OperatorWish", description: "What an operator is wanted for." });

export type OperatorWish = z.output<typeof operatorWish>;
type SplitWish = Omit<Extract<OperatorWish, { kind: "split" }>, "kind">;

/** Has PD plan it. Of most kinds one operator comes of it; of a scatter one for each Region that does not lie well. */
export async function wishFor(admin: ApiSource["calls"]["admin"], wish: OperatorWish): Promise<Operator[]> {
  switch (wish.kind) {
    case "add-peer":
      return one(admin.addPeer({ regionId: BigInt(wish.regionId), storeId: BigInt(wish.storeId) }));
    case "remove-peer":
      return one(admin.removePeer({ regionId: BigInt(wish.regionId), storeId: BigInt(wish.storeId) }));
    case "move-peer":
      return one(
        admin.movePeer({
          regionId: BigInt(wish.regionId),
          fromStoreId: BigInt(wish.fromStoreId),
          toStoreId: BigInt(wish.toStoreId),
        }),
      );
    case "transfer-leader":
      return one(
        admin.transferRegionLeader({ regionId: BigInt(wish.regionId), toStoreId: BigInt(wish.toStoreId) }),
      );
    case "split":
      return one(admin.splitRegionAt(splitRequest(wish)));
    case "merge":
      return one(
        admin.mergeRegions({
          regionId: BigInt(wish.regionId),
          targetRegionId: BigInt(wish.targetRegionId ?? 0),
        }),
      );
    case "scatter":
      return (await admin.scatterRegions({ regionIds: wish.regionIds.map(BigInt) })).operators;
    default:
      return assertNever(wish, "kind of operator");
  }
}

function splitRequest({ regionId: region, keys, keysHex, partCount }: SplitWish) {
  if (keys !== undefined && keysHex !== undefined) {
    throw invalidInput([{ field: "keysHex", message: "and keys exclude each other" }]);
  }
  const cuts = keysHex?.map(bytesOfHex) ?? keys?.map((key, at) => bytesOfText(`keys.${at}`, key)) ?? [];
  return { regionId: BigInt(region), keys: cuts, partCount: partCount ?? 0 };
}

async function one(answer: Promise<{ readonly operator?: Operator | undefined }>): Promise<Operator[]> {
  const { operator } = await answer;
  return operator === undefined ? [] : [operator];
}
