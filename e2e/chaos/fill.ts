import type { ManagedProcess } from "../managed-process.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { takeLaidAside } from "./laid-aside.ts";
import type { Fault } from "./nemesis.ts";
import type { SmallDisk } from "./small-disk.ts";

/** The Stores of a run count their disk as full with less than this left. */
export const FULL_DISK_BYTES = 32 * 2 ** 20;
/** And keep this much aside, to start on a full disk. */
export const RESERVE_BYTES = 8 * 2 ** 20;

/** Leaves so many bytes of the first Store's disk; the Store may end itself. @throws Error where it has no small disk */
export function fillDisk(cluster: ChaosCluster, leftBytes: number): Fault {
  return fillDiskOf(cluster, cluster.stores[0], cluster.smallDisk, leftBytes);
}

/**
 * As `fillDisk`, for the first member of PD.
 *
 * @param takesLaidAside also what its database has laid aside, so that it notices at its next writes
 */
export async function fillPdDisk(
  cluster: ChaosCluster,
  leftBytes: number,
  takesLaidAside: boolean,
): Promise<Fault> {
  const [first] = cluster.members;
  const folder = cluster.smallPdDisk?.folder;
  if (takesLaidAside && first !== undefined && folder !== undefined) {
    await takeLaidAside(first, folder);
  }
  return fillDiskOf(cluster, first, cluster.smallPdDisk, leftBytes);
}

function fillDiskOf(
  cluster: ChaosCluster,
  process: ManagedProcess | undefined,
  disk: SmallDisk | undefined,
  leftBytes: number,
): Fault {
  if (disk === undefined || process === undefined) {
    throw new Error("nobody has a small disk");
  }
  if (process.isRunning) {
    process.mayEnd(true);
  }
  disk.fill(leftBytes);
  let hasEnded = false;
  return {
    text: `${leftBytes / 2 ** 20} MiB left for ${process.plan.name}`,
    outcome: () => `which ${hasEnded ? "ended itself" : "ran on"}`,
    end: async () => {
      disk.empty();
      // One whose last write failed before is about to end, and answers no more.
      await cluster.breakWithin(process, {});
      hasEnded = !process.isRunning;
      if (hasEnded) {
        await process.launch();
      } else {
        process.mayEnd(false);
      }
    },
  };
}
