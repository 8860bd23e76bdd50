import { z } from "zod";
import { pdLimits } from "../../../limits.ts";
import { operatorDocument, operatorSchema } from "../documents/operator.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { operatorWish, wishFor } from "../operator-wishes.ts";
import { digits, idInPath } from "../schemas.ts";

/** Operators of one answer of the history, unless said. */
const HISTORY_DEFAULT_COUNT = 100;

const params = z.strictObject({ operatorId: idInPath });
const listSchema = z.strictObject({ operators: z.array(operatorSchema) }).meta({ id: "OperatorList" });

export const operatorEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/operators",
    id: "listOperators",
    tag: "operators",
    summary: "Operators that wait or run",
    access: "leader",
    answer: listSchema,
    handle: async (_input, { calls }) => {
      const { operators } = await calls.admin.listOperators({});
      return { operators: operators.map(operatorDocument) };
    },
  }),
  endpoint({
    method: "POST",
    path: "/operators",
    id: "addOperator",
    tag: "operators",
    summary: "Have PD change a Region",
    description:
      "What cannot be done is refused at once; what is taken goes on behind the answer: ask for the operator.",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND", "RDB_ALREADY_EXISTS", "RDB_SERVER_IS_BUSY"],
    body: operatorWish,
    answer: listSchema,
    handle: async ({ body }, { calls }) => {
      const operators = await wishFor(calls.admin, body);
      return { operators: operators.map(operatorDocument) };
    },
  }),
  endpoint({
    method: "GET",
    path: "/operators/history",
    id: "listOperatorHistory",
    tag: "operators",
    summary: "Operators that ended, the latest first",
    access: "leader",
    query: z.strictObject({
      regionId: idInPath.optional().describe("Only this Region's."),
      limit: digits(1, pdLimits.operatorHistoryMaxCount).default(HISTORY_DEFAULT_COUNT),
    }),
    answer: listSchema,
    handle: async ({ query: { regionId = 0, limit } }, { calls }) => {
      const { operators } = await calls.admin.listOperatorHistory({ regionId: BigInt(regionId), limit });
      return { operators: operators.map(operatorDocument) };
    },
  }),
  endpoint({
    method: "GET",
    path: "/operators/{operatorId}",
    id: "getOperator",
    tag: "operators",
    summary: "One operator, also one that ended not too long ago",
    access: "leader",
    refuses: ["RDB_NOT_FOUND"],
    params,
    answer: operatorSchema,
    handle: async ({ params: { operatorId } }, { calls }) => {
      const { operator } = await calls.admin.getOperator({ operatorId: BigInt(operatorId) });
      return operatorDocument(operator);
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/operators/{operatorId}",
    id: "cancelOperator",
    tag: "operators",
    summary: "End an operator; a half-made change is left to the checkers",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: operatorSchema,
    handle: async ({ params: { operatorId } }, { calls }) => {
      const { operator } = await calls.admin.cancelOperator({ operatorId: BigInt(operatorId) });
      return operatorDocument(operator);
    },
  }),
];
