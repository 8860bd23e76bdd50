import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";
import { drawSome } from "../several.ts";

/** A Store beside one that leads is cut off: it must not disturb the others when it is back. */
export class CutOffFollower implements Nemesis {
  readonly name = "cut-off-follower";
  readonly lastsMs = { min: 3_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const others = cluster.runningStores.filter((store) => store !== leader);
    const rule = drawCut(random);
    const cutOff = drawSome(others, 1, random);
    cutOff.forEach(({ place }) => cluster.network.isolate(place, rule));
    return healing(cluster, `${cutOff.map(({ plan }) => plan.name).join()} off (${rule})`);
  }
}
