import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";

/** No Store reaches another one: nothing is committed, and no lease outlives its time. Clients reach all of them. */
export class CutAllApart implements Nemesis {
  readonly name = "cut-all-apart";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  readonly majorityStays = false;
  readonly means = "network";
  readonly isMild = false;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const rule = drawCut(random);
    for (const { place } of cluster.runningStores) {
      cluster.network.isolate(place, rule);
    }
    return Promise.resolve(healing(cluster, `no Store reaches another (${rule})`));
  }
}
