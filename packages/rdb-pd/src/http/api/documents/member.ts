import type { PdMember } from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id } from "../schemas.ts";

export const memberSchema = z
  .strictObject({
    id,
    name: z.string(),
    address: z.string().describe("host:port of its RPC endpoint."),
    httpAddress: z.string().describe("host:port of its HTTP endpoint; empty while it never ran."),
    isLeader: z.boolean(),
    isLearner: z.boolean().describe("It has no vote: a new member, until it has what the others have."),
    isUp: z.boolean().describe("The leader heard of it within its last election timeout."),
    clusterVersion: count.describe("The newest that its program knows; 0 while it has not said."),
  })
  .meta({
    id: "Member",
    description: "A member of the placement driver, as `rdb pd members --json` has it.",
  });

/** As the command line's `--json`. */
export function memberDocument(
  member: Omit<PdMember, "$typeName" | "$unknown">,
  leaderMemberId: bigint,
): z.output<typeof memberSchema> {
  const { id, name, address, httpAddress, isLearner, isUp, clusterVersion } = member;
  const isLeader = id === leaderMemberId;
  return { id: Number(id), name, address, httpAddress, isLeader, isLearner, isUp, clusterVersion };
}
