import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawCut, healing } from "../cut.ts";

/** Clients do not reach a Store that leads; everybody else does, so it goes on to lead. */
export class CutOffClient implements Nemesis {
  readonly name = "cut-off-client";
  readonly lastsMs = { min: 2_000, max: 8_000 };
  /** A majority is there, but clients go straight to leaders, and this one is out of their reach. */
  readonly majorityStays = false;
  readonly means = "network";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const rule = drawCut(random);
    cluster.network.set("client", leader.place, rule);
    return healing(cluster, `clients do not reach ${leader.plan.name} (${rule})`);
  }
}
