import type { ChaosCluster } from "../chaos-cluster.ts";
import { FULL_DISK_BYTES, fillDisk } from "../fill.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

/** The disk of the first Store has less left than its mark: it refuses writes, and runs on. Then there is room. */
export class LowDisk implements Nemesis {
  readonly name = "low-disk";
  readonly lastsMs = { min: 4_000, max: 10_000 };
  /** A Store that refuses writes hands its leaderships over. */
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  begin(cluster: ChaosCluster): Promise<Fault> {
    return Promise.resolve(fillDisk(cluster, FULL_DISK_BYTES / 2));
  }
}
