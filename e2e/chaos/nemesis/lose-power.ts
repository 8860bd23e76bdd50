import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { PoweredStores } from "../power.ts";

/**
 * All Stores lose their power at the same moment: kill -9, and every file of theirs is cut to what was synced, or to that
 * and a part of what came after. Before, they are all started again, with their syncs noted.
 */
export class LosePower implements Nemesis {
  readonly name = "lose-power";
  readonly lastsMs = { min: 4_000, max: 10_000 };
  readonly majorityStays = false;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const powered = new PoweredStores(cluster);
    const stores = cluster.runningStores;
    await Promise.all(stores.map((store) => powered.watch(store)));
    return {
      text: `${stores.map(({ plan }) => plan.name).join(", ")} are to lose their power at the end`,
      end: () => powered.losePower(random),
    };
  }
}
