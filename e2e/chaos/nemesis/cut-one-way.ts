import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { healing } from "../cut.ts";

/** A Store that leads is mute (its messages vanish, it hears all) or deaf: it must stop to lead, or the others wait. */
export class CutOneWay implements Nemesis {
  readonly name = "cut-one-way";
  readonly lastsMs = { min: 3_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const isMute = random.nextInt(2) === 0;
    for (const { place } of cluster.runningStores.filter((store) => store !== leader)) {
      const [from, to] = isMute ? [leader.place, place] : [place, leader.place];
      cluster.network.set(from, to, "blackhole");
    }
    return healing(cluster, `${leader.plan.name} is ${isMute ? "mute" : "deaf"} towards the other Stores`);
  }
}
