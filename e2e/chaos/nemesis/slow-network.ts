import type { ChaosCluster } from "../chaos-cluster.ts";
import { healing } from "../cut.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

const DELAY_MS = 100;

/** What Stores say to each other arrives 100 ms late, so a round trip takes 200 ms. */
export class SlowNetwork implements Nemesis {
  readonly name = "slow-network";
  readonly lastsMs = { min: 4_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = true;

  begin(cluster: ChaosCluster): Promise<Fault> {
    for (const from of cluster.stores) {
      for (const to of cluster.stores) {
        cluster.network.set(from.place, to.place, { delayMs: DELAY_MS });
      }
    }
    return Promise.resolve(healing(cluster, `${DELAY_MS} ms from Store to Store`));
  }
}
