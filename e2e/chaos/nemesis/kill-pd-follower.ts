import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome, killAll } from "../several.ts";

/** kill -9 of a member of PD that does not lead. Reads and writes do not notice. */
export class KillPdFollower implements Nemesis {
  readonly name = "kill-pd-follower";
  readonly lastsMs = { min: 2_000, max: 6_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.pdLeader();
    const others = cluster.members.filter((member) => member !== leader);
    return killAll(drawSome(others, 1, random));
  }
}
