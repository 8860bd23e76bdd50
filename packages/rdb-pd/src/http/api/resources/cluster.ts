import {
  type ClusterProblem,
  RegionTally,
  clusterProblemKinds,
  clusterProblems,
  tellingFigures,
} from "@flaredb/rdb-base";
import { type GetClusterInfoResponse, StoreState } from "@flaredb/rdb-proto";
import { z } from "zod";
import { memberDocument, memberSchema } from "../documents/member.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { eachRegionPage } from "../region-pages.ts";
import { count } from "../schemas.ts";

const clusterSchema = z
  .strictObject({
    clusterId: z
      .string()
      .describe("A number of up to 16 digits, as text, as `rdb cluster status --json` has it."),
    healthy: z.boolean(),
    problems: z.array(z.string()).describe("In sentences; none when all is well."),
    findings: z
      .array(
        z.strictObject({
          kind: z.enum(clusterProblemKinds),
          level: z
            .enum(["bad", "warn"])
            .describe("bad: somebody is not served, or soon not; warn: one more loss would be bad."),
          message: z.string(),
          advice: z.string().describe("What to do about it."),
        }),
      )
      .describe("The same problems, with what to do about each."),
    bootstrapped: z.boolean().describe("Whether the initial Regions were placed."),
    bootstrapStoreCount: count.describe("So many Stores must register before they are."),
    registeredStoreCount: count,
    upStoreCount: count,
    regionCount: count,
    regionWithLeaderCount: count,
    programVersion: z.string(),
    clusterVersion: count.describe("What all Stores and members know. Newer commands wait for it."),
    newestClusterVersion: count.describe("The newest that the leading member's program knows."),
    clusterVersionWaitsFor: z
      .array(z.string())
      .describe("Whom the newest waits for, in sentences; none when it is reached."),
    members: z.array(memberSchema),
  })
  .meta({ id: "Cluster", description: "The cluster, as `rdb cluster status --json` has it." });

export const clusterEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/cluster",
    id: "getCluster",
    tag: "cluster",
    summary: "The cluster in a few figures, and what is wrong with it",
    access: "leader",
    answer: clusterSchema,
    handle: async (_input, { calls }) => {
      const info = await calls.pd.getClusterInfo({});
      const { statuses } = await calls.pd.listStores({});
      const stores = statuses.filter(({ store }) => store?.state !== StoreState.TOMBSTONE);
      const tally = new RegionTally();
      if (info.bootstrapped) {
        await eachRegionPage(calls, new Uint8Array(), (routes) => tally.add(routes));
      }
      const telling = tellingFigures(info.members, info.leaderMemberId, stores);
      return clusterDocument(info, clusterProblems({ ...info, ...tally.figures, ...telling }));
    },
  }),
];

function clusterDocument(
  info: GetClusterInfoResponse,
  findings: ClusterProblem[],
): z.output<typeof clusterSchema> {
  return {
    clusterId: String(info.clusterId),
    healthy: findings.length === 0,
    problems: findings.map(({ message }) => message),
    findings,
    bootstrapped: info.bootstrapped,
    bootstrapStoreCount: info.bootstrapStoreCount,
    registeredStoreCount: info.registeredStoreCount,
    upStoreCount: info.upStoreCount,
    regionCount: info.regionCount,
    regionWithLeaderCount: info.regionWithLeaderCount,
    programVersion: info.programVersion,
    clusterVersion: info.clusterVersion,
    newestClusterVersion: info.newestClusterVersion,
    clusterVersionWaitsFor: [...info.clusterVersionWaitsFor],
    members: info.members.map((member) => memberDocument(member, info.leaderMemberId)),
  };
}
