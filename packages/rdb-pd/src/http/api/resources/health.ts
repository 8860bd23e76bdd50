import { RdbError } from "@flaredb/rdb-base";
import { z } from "zod";
import { healthView } from "../../health-view.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count } from "../schemas.ts";

const liveSchema = z.strictObject({ status: z.literal("live") }).meta({ id: "Live" });

const readySchema = z
  .strictObject({
    status: z.enum(["serving", "following"]),
    clusterId: z.string().describe("A number of up to 16 digits, as text."),
    memberId: count,
    leaderMemberId: count,
    appliedIndex: count,
    version: z.string(),
  })
  .meta({ id: "Ready" });

export const healthEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/health/live",
    id: "getLive",
    tag: "health",
    summary: "Whether the process answers",
    access: "public",
    answer: liveSchema,
    handle: () => ({ status: "live" as const }),
  }),
  endpoint({
    method: "GET",
    path: "/health/ready",
    id: "getReady",
    tag: "health",
    summary: "Whether this member is of use: it leads, or follows the one that does",
    access: "public",
    refuses: ["RDB_PD_UNAVAILABLE"],
    answer: readySchema,
    handle: (_input, { group }) => {
      const { status, clusterId, ...rest } = healthView(group);
      if (status === "leaderless") {
        throw new RdbError("RDB_PD_UNAVAILABLE", "no leader of the placement driver is known yet: ask again");
      }
      return { status, clusterId: String(clusterId), ...rest };
    },
  }),
];
