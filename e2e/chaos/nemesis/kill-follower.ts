import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome, killAll } from "../several.ts";

/** kill -9 of a Store beside one that leads: it catches up when it is back. */
export class KillFollower implements Nemesis {
  readonly name = "kill-follower";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const others = cluster.runningStores.filter((store) => store !== leader);
    return killAll(drawSome(others, 1, random));
  }
}
