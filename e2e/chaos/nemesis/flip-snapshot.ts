import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome } from "../several.ts";
import { breakWithin } from "../within.ts";

const PART = 0.5;

/**
 * The disk of a Store is replaced, and half of the chunks of all snapshots that then fill it leave with a bit flipped:
 * each is refused by its checksum, and the Region is sent again. What arrived is compared with the other peers in the end.
 */
export class FlipSnapshot implements Nemesis {
  readonly name = "flip-snapshot";
  readonly lastsMs = { min: 5_000, max: 10_000 };
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const [store] = drawSome(cluster.runningStores, 1, random);
    if (store === undefined) {
      throw new Error("no Store runs");
    }
    const flips = await breakWithin(cluster, {
      processes: cluster.stores,
      faults: { chunkFlips: PART },
      text: `${store.plan.name} is filled anew, bits flip on the way`,
      outcome: { count: "flippedChunks", noun: "chunks flipped" },
    });
    await cluster.wipe(store);
    await store.launch();
    const end = async (): Promise<void> => {
      await flips.end();
      await cluster.waitUntilHealed();
    };
    return { ...flips, end };
  }
}
