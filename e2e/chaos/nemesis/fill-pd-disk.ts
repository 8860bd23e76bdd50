import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import { fillPdDisk } from "../fill.ts";
import { type Fault, type Nemesis, pick } from "../nemesis.ts";
import { takingIds } from "../taking-ids.ts";

/**
 * The disk of the first member of PD is full to the last byte, mostly while that one leads: it lets another one lead, and
 * ends itself when a write fails, soon, or once the room that its database has laid aside is used up. Then there is room,
 * and it follows.
 */
export class FillPdDisk implements Nemesis {
  readonly name = "fill-pd-disk";
  readonly lastsMs = { min: 4_000, max: 10_000 };
  /** Of the Regions: PD lacks a leader for a moment, at worst. */
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const [first] = cluster.members;
    const leads = random.nextInt(3) > 0;
    if (leads && first !== undefined) {
      await cluster.makePdLeader(first);
    }
    const fault = await fillPdDisk(cluster, 0, pick([true, false], random));
    const text = `${fault.text}${leads ? ", which leads" : ""}`;
    return takingIds(cluster, { ...fault, text }, true);
  }
}
