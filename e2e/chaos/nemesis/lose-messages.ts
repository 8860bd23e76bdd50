import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { breakWithin } from "../within.ts";

const PART = 0.3;

/** Of the Raft messages that arrive at Stores 30 % vanish, each by itself, before the Store sees them. */
export class LoseMessages implements Nemesis {
  readonly name = "lose-messages";
  readonly lastsMs = { min: 4_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "messages";
  readonly isMild = true;

  begin(cluster: ChaosCluster): Promise<Fault> {
    return breakWithin(cluster, {
      processes: cluster.stores,
      faults: { messageLoss: PART },
      text: `${PART * 100} % of all Raft messages vanish`,
      outcome: { count: "lostMessages", noun: "messages lost" },
    });
  }
}
