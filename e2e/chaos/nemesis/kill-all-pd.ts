import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { killAll } from "../several.ts";

/** kill -9 of all of PD: reads and writes of Regions that clients know go on. */
export class KillAllPd implements Nemesis {
  readonly name = "kill-all-pd";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  begin(cluster: ChaosCluster): Promise<Fault> {
    return killAll(cluster.members);
  }
}
