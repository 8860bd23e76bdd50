import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { killAll } from "../several.ts";

/** kill -9 of all Stores, as when the power fails: what was acknowledged was on disk. */
export class KillAll implements Nemesis {
  readonly name = "kill-all";
  readonly lastsMs = { min: 500, max: 4_000 };
  readonly majorityStays = false;
  readonly means = "process";
  readonly isMild = false;

  begin(cluster: ChaosCluster): Promise<Fault> {
    return killAll(cluster.runningStores);
  }
}
