import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { pick } from "../nemesis.ts";

const STEP_MIN_MS = 100;
const STEP_MAX_MS = 400;

/**
 * Every few hundred milliseconds the connections from one Store to another one, or from clients to a Store, are reset or
 * stall for a moment. Stands for lost packets, which a proxy above TCP cannot make.
 */
export class FlakyNetwork implements Nemesis {
  readonly name = "flaky-network";
  readonly lastsMs = { min: 4_000, max: 12_000 };
  readonly majorityStays = true;
  readonly means = "network";
  readonly isMild = true;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const { network, runningStores } = cluster;
    let timer: NodeJS.Timeout | undefined;
    const step = (): void => {
      network.heal();
      const to = pick(runningStores, random);
      const from = pick(["client" as const, ...runningStores.filter((store) => store !== to)], random);
      network.set(
        from === "client" ? from : from.place,
        to.place,
        pick(["cut", "blackhole"] as const, random),
      );
      timer = setTimeout(step, STEP_MIN_MS + random.nextInt(STEP_MAX_MS - STEP_MIN_MS));
    };
    step();
    return Promise.resolve({
      text: "resets and stalls of single links",
      end: () => {
        clearTimeout(timer);
        network.heal();
        return Promise.resolve();
      },
    });
  }
}
