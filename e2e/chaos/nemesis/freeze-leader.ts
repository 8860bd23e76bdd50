import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

/**
 * SIGSTOP of a Store that leads, for up to 30 s: it keeps its connections and says nothing. It wakes up as a leader that
 * others have replaced, with a lease that has run out.
 */
export class FreezeLeader implements Nemesis {
  readonly name = "freeze-leader";
  readonly lastsMs = { min: 1_000, max: 30_000 };
  readonly majorityStays = true;
  readonly means = "process";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const leader = await cluster.leaderOfSome(random);
    leader.freeze();
    return {
      text: `SIGSTOP of ${leader.plan.name}`,
      end: () => Promise.resolve(leader.thaw()),
    };
  }
}
