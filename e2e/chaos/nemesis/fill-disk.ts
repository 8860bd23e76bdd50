import type { ChaosCluster } from "../chaos-cluster.ts";
import { fillDisk } from "../fill.ts";
import type { Fault, Nemesis } from "../nemesis.ts";

/**
 * The disk of the first Store is full to the last byte: it refuses writes, and ends itself when one that it must not
 * refuse fails. Then there is room.
 */
export class FillDisk implements Nemesis {
  readonly name = "fill-disk";
  readonly lastsMs = { min: 4_000, max: 10_000 };
  /** A Store that refuses writes hands its leaderships over. */
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  begin(cluster: ChaosCluster): Promise<Fault> {
    return Promise.resolve(fillDisk(cluster, 0));
  }
}
