import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { killAll } from "../several.ts";

/** kill -9 of a Store that leads: the others elect, and what it acknowledged is there. */
export class KillLeader implements Nemesis {
  readonly name = "kill-leader";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    return killAll([await cluster.leaderOfSome(random)]);
  }
}
