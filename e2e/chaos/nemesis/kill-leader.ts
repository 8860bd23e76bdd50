import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

/** kill -9 of a Store that leads: the others elect, and what it acknowledged is there. */
export class KillLeader implements Nemesis {
  readonly name = "kill-leader";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  readonly majorityStays = true;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    await leader.kill();
    return { text: `kill -9 of ${leader.plan.name}, which leads`, end: () => leader.launch() };
  }
}
