import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import { type Fault, type Nemesis, pick } from "../nemesis.ts";
import { drawSome } from "../several.ts";
import { breakWithin } from "../within.ts";

const JUMP_MIN_MINUTES = 2;
const JUMP_MAX_MINUTES = 30;

/**
 * The wall clock of a Store that leads, of some Stores, or of all of PD jumps minutes ahead or back, and then to where it
 * was. Leases and elections do not look at it. Log time does, when a Store begins to lead: it may run ahead, never back.
 */
export class JumpClock implements Nemesis {
  readonly name = "jump-clock";
  readonly lastsMs = { min: 3_000, max: 10_000 };
  readonly majorityStays = true;
  readonly means = "clock";
  readonly isMild = true;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const minutes =
      (JUMP_MIN_MINUTES + random.nextInt(JUMP_MAX_MINUTES - JUMP_MIN_MINUTES + 1)) * pick([1, -1], random);
    const leader = await cluster.leaderOfSome(random);
    const some = drawSome(cluster.runningStores, 1 + random.nextInt(cluster.runningStores.length), random);
    const processes = pick([[leader], some, cluster.members], random);
    const names = processes.map(({ plan }) => plan.name).join(", ");
    return breakWithin(cluster, {
      processes,
      faults: { wallOffsetMs: minutes * 60_000 },
      text: `the clock of ${names} is ${Math.abs(minutes)} min ${minutes > 0 ? "ahead" : "behind"}`,
    });
  }
}
