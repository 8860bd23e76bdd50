import type { Random } from "@flaredb/rdb-base";
import type { TestStore } from "../../cluster.ts";
import { waitFor } from "../../wait.ts";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome } from "../several.ts";

const EMPTY_TIMEOUT_MS = 300_000;

/** A Store joins, and after a while another one is decommissioned, emptied and taken away, all under load. */
export class ReplaceStore implements Nemesis {
  readonly name = "replace-store";
  readonly lastsMs = { min: 3_000, max: 10_000 };
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    // The first one stays: it has the small disk.
    const [leaving] = drawSome(cluster.runningStores.slice(1), 1, random);
    if (leaving === undefined) {
      throw new Error("no second Store runs");
    }
    const joining = await cluster.spareStore();
    await joining.launch();
    return {
      text: `${joining.plan.name} joins, ${leaving.plan.name} is to leave`,
      end: () => decommission(cluster, leaving),
    };
  }
}

async function decommission(cluster: ChaosCluster, store: TestStore): Promise<void> {
  const storeId = await cluster.idOf(store);
  await cluster.ask(({ admin }, options) => admin.decommissionStore({ storeId }, options));
  await waitFor(`${store.plan.name} without Regions`, EMPTY_TIMEOUT_MS, async () => {
    const regions = await cluster.regions();
    return regions.every(({ region }) => region?.peers.every((peer) => peer.storeId !== storeId));
  });
  await cluster.takeAway(store);
  await cluster.waitUntilHealed();
}
