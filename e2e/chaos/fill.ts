import type { ChaosCluster } from "./chaos-cluster.ts";
import type { Fault } from "./nemesis.ts";

/** The Stores of a run count their disk as full with less than this left. */
export const FULL_DISK_BYTES = 32 * 2 ** 20;
/** And keep this much aside, to start on a full disk. */
export const RESERVE_BYTES = 8 * 2 ** 20;

/** Leaves so many bytes of the first Store's disk; the Store may end itself. @throws Error where it has no small disk */
export function fillDisk(cluster: ChaosCluster, leftBytes: number): Fault {
  const { smallDisk } = cluster;
  const [store] = cluster.stores;
  if (smallDisk === undefined || store === undefined) {
    throw new Error("no Store has a small disk");
  }
  if (store.isRunning) {
    store.mayEnd(true);
  }
  smallDisk.fill(leftBytes);
  return {
    text: `${leftBytes / 2 ** 20} MiB left for ${store.plan.name}`,
    end: async () => {
      smallDisk.empty();
      if (store.isRunning) {
        store.mayEnd(false);
      } else {
        await store.launch();
      }
    },
  };
}
