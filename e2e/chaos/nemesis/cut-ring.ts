import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";
import { drawSome } from "../several.ts";

/**
 * Each Store reaches its two neighbours of a ring and nobody else; of three, which all are neighbours, two lose each
 * other. Everybody hears of a leader, yet not everybody can follow it.
 */
export class CutRing implements Nemesis {
  readonly name = "cut-ring";
  readonly lastsMs = { min: 3_000, max: 12_000 };
  /** Of a Region with three peers two may be left that do not reach each other, while the third reaches both. */
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = false;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const ring = drawSome(cluster.runningStores, cluster.runningStores.length, random);
    const rule = drawCut(random);
    ring.forEach((from, at) => {
      ring.forEach((to, other) => {
        const distance = Math.abs(at - other);
        // Of three the last and the first are no neighbours: else nothing would be cut.
        const areNeighbours = distance <= 1 || (ring.length > 3 && distance === ring.length - 1);
        if (!areNeighbours) {
          cluster.network.set(from.place, to.place, rule);
        }
      });
    });
    return Promise.resolve(
      healing(cluster, `ring of ${ring.map(({ plan }) => plan.name).join(", ")} (${rule})`),
    );
  }
}
