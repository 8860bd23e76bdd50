import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { killAll } from "../several.ts";

/** kill -9 of the member of PD that leads: another one takes over. */
export class KillPdLeader implements Nemesis {
  readonly name = "kill-pd-leader";
  readonly lastsMs = { min: 2_000, max: 6_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster): Promise<Fault> {
    return killAll([await cluster.pdLeader()]);
  }
}
