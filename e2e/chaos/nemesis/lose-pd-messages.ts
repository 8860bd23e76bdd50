import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { takingIds } from "../taking-ids.ts";
import { breakWithin } from "../within.ts";

const PART = 0.3;

/** Of the Raft messages that arrive at members of PD 30 % vanish, each by itself, before the member sees them. */
export class LosePdMessages implements Nemesis {
  readonly name = "lose-pd-messages";
  readonly lastsMs = { min: 4_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "messages";
  readonly isMild = true;

  async begin(cluster: ChaosCluster): Promise<Fault> {
    const fault = await breakWithin(cluster, {
      processes: cluster.members,
      faults: { messageLoss: PART },
      text: `${PART * 100} % of PD's Raft messages vanish`,
      outcome: { count: "lostMessages", noun: "messages lost" },
    });
    return takingIds(cluster, fault, false);
  }
}
