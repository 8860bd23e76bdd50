import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

/** The Stores of a run count their disk as full with less than this left. */
export const FULL_DISK_BYTES = 32 * 2 ** 20;
/** And keep this much aside, to start on a full disk. */
export const RESERVE_BYTES = 8 * 2 ** 20;

/**
 * The disk of the first Store is full: to the last byte, so that its next write fails and it ends itself, or so far that
 * it refuses writes. Then there is room again.
 */
export class FillDisk implements Nemesis {
  readonly name = "fill-disk";
  readonly lastsMs = { min: 4_000, max: 10_000 };
  readonly majorityStays = true;

  begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const { smallDisk } = cluster;
    const [store] = cluster.stores;
    if (smallDisk === undefined || store === undefined) {
      throw new Error("no Store has a small disk");
    }
    const leftBytes = random.nextInt(2) === 0 ? 0 : FULL_DISK_BYTES / 2;
    store.mayEnd(true);
    smallDisk.fill(leftBytes);
    return Promise.resolve({
      text: `${leftBytes / 2 ** 20} MiB left for ${store.plan.name}`,
      end: async () => {
        smallDisk.empty();
        if (store.isRunning) {
          store.mayEnd(false);
        } else {
          await store.launch();
        }
      },
    });
  }
}
