import { type PeerProgress } from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id } from "../schemas.ts";
import { roleNameOf, roleSchema } from "./region.ts";

const peerProgressSchema = z
  .strictObject({
    id,
    storeId: id,
    role: roleSchema,
    failure: z.string().describe("Why its Store said nothing of it, and the figures are 0; empty: it did."),
    isLeader: z.boolean(),
    isAsleep: z.boolean().describe("The Region is idle, and its peers do without heartbeats."),
    term: count,
    commitIndex: count,
    appliedIndex: count,
    firstIndex: count.describe("Of the log that it keeps."),
    lastIndex: count,
    asLeaderSees: z
      .strictObject({
        state: z
          .string()
          .describe(
            "probe: it is looked for where the logs meet; replicate: entries flow; snapshot: it waits for one.",
          ),
        matchIndex: count.describe("The last entry that it is known to have."),
        nextIndex: count.describe("The next one that it is sent."),
        lagCount: count.describe("Entries of the leader's log that it is not known to have."),
        isAlive: z.boolean().describe("Whether its Store is heard of."),
      })
      .nullable()
      .describe("null for the leader itself, and where no leader answered."),
  })
  .meta({ id: "PeerProgress", description: "How far one peer is, as its own Store says." });

export const regionPeersSchema = z
  .strictObject({ peers: z.array(peerProgressSchema) })
  .meta({ id: "RegionPeers", description: "As `rdb region peers --json` has it." });

/** As the command line's `--json`. */
export function peerProgressDocument(progress: PeerProgress): z.output<typeof peerProgressSchema> {
  const { peer, failure, isLeader, isAsleep, asLeaderSees } = progress;
  return {
    id: Number(peer?.id ?? 0n),
    storeId: Number(peer?.storeId ?? 0n),
    role: roleNameOf(peer),
    ...{ failure, isLeader, isAsleep },
    term: Number(progress.term),
    commitIndex: Number(progress.commitIndex),
    appliedIndex: Number(progress.appliedIndex),
    firstIndex: Number(progress.firstIndex),
    lastIndex: Number(progress.lastIndex),
    asLeaderSees:
      asLeaderSees === undefined
        ? null
        : {
            state: asLeaderSees.state,
            matchIndex: Number(asLeaderSees.matchIndex),
            nextIndex: Number(asLeaderSees.nextIndex),
            lagCount: Number(asLeaderSees.lagCount),
            isAlive: asLeaderSees.isAlive,
          },
  };
}
