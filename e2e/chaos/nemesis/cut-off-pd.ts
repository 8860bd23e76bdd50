import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";

/** No Store reaches PD; clients do. Reads and writes go on, and nobody acts on what PD last heard. */
export class CutOffPd implements Nemesis {
  readonly name = "cut-off-pd";
  readonly lastsMs = { min: 3_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = false;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const rule = drawCut(random);
    for (const { place } of cluster.stores) {
      cluster.members.forEach((_, at) => cluster.network.set(place, `pd-${at + 1}`, rule));
    }
    return Promise.resolve(healing(cluster, `Stores reach no member of PD (${rule})`));
  }
}
