import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import { type Fault, type Nemesis, pick } from "../nemesis.ts";
import { takingIds } from "../taking-ids.ts";
import { breakWithin } from "../within.ts";

const DELAY_MIN_MS = 200;
const DELAY_MAX_MS = 3_000;

/**
 * Every sync of the member of PD that leads, or of all of them, takes 0.2 to 3 s longer. A leader shows no life while it
 * syncs: from the election timeout (1 s) on another one takes over, or, where all are slow, nobody leads for long. Reads
 * and writes of Regions that clients know go on.
 */
export class SlowPdDisk implements Nemesis {
  readonly name = "slow-pd-disk";
  readonly lastsMs = { min: 6_000, max: 15_000 };
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.pdLeader();
    const processes = pick([[leader], cluster.members], random);
    const syncDelayMs = DELAY_MIN_MS + random.nextInt(DELAY_MAX_MS - DELAY_MIN_MS + 1);
    const names = processes.map(({ plan }) => plan.name).join(", ");
    const fault = await breakWithin(cluster, {
      processes,
      faults: { syncDelayMs },
      text: `each sync of ${names} takes ${(syncDelayMs / 1000).toFixed(2)} s`,
      outcome: { count: "slowSyncs", noun: "slow syncs" },
    });
    return takingIds(cluster, fault, true);
  }
}
