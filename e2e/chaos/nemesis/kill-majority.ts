import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome, killAll } from "../several.ts";

/** kill -9 of two Stores at once: Regions that had peers on both commit nothing until one is back. */
export class KillMajority implements Nemesis {
  readonly name = "kill-majority";
  readonly lastsMs = { min: 1_000, max: 6_000 };
  readonly majorityStays = false;
  readonly means = "process";
  readonly isMild = false;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    return killAll(drawSome(cluster.runningStores, 2, random));
  }
}
