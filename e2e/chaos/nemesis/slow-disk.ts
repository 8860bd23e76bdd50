import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { breakWithin } from "../within.ts";

const DELAY_MIN_MS = 200;
const DELAY_MAX_MS = 3_000;

/**
 * Every sync of a Store that leads takes 0.2 to 3 s longer. From `slowDiskMs` on it hands its leaderships over; at twice
 * that it shows no life, and the others elect.
 */
export class SlowDisk implements Nemesis {
  readonly name = "slow-disk";
  readonly lastsMs = { min: 6_000, max: 15_000 };
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    const syncDelayMs = DELAY_MIN_MS + random.nextInt(DELAY_MAX_MS - DELAY_MIN_MS + 1);
    return breakWithin(cluster, {
      processes: [leader],
      faults: { syncDelayMs },
      text: `each sync of ${leader.plan.name} takes ${(syncDelayMs / 1000).toFixed(2)} s`,
      outcome: { count: "slowSyncs", noun: "slow syncs" },
    });
  }
}
