import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";

/**
 * A Store that leads is cut off from the other Stores and from PD, in half of all cases from clients too: the majority
 * elects, and who can still reach the old leader is never served by it.
 */
export class CutOffLeader implements Nemesis {
  readonly name = "cut-off-leader";
  readonly lastsMs = { min: 3_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const rule = drawCut(random);
    const client = random.nextInt(2) === 0;
    cluster.network.isolate(leader.place, rule, { client });
    return healing(cluster, `${leader.plan.name} off${client ? "" : " from all but clients"} (${rule})`);
  }
}
