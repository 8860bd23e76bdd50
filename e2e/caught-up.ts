import { assert } from "@flaredb/rdb-base";
import type { TestCluster } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { waitFor } from "./wait.ts";

/** Waits until every Store has applied what is committed now, so that the next kill leaves a majority that has all. */
export async function everyStoreHasEverything(cluster: TestCluster): Promise<void> {
  const views = await Promise.all(cluster.stores.map(regionsOn));
  const target = Math.max(...views.flat().map((view) => view.commitIndex));
  assert(target > 0, "some Region has committed something");
  for (const region of await cluster.regions()) {
    const id = Number(region.region?.id);
    const indexes = views.map((peers) => peers.find((peer) => peer.regionId === id)?.commitIndex ?? 0);
    const goal = Math.max(...indexes);
    await waitFor(`Region ${id} at ${goal} on every Store`, 20_000, async () => {
      const present = await Promise.all(cluster.stores.map(regionsOn));
      return present.every(
        (peers) => (peers.find((peer) => peer.regionId === id)?.appliedIndex ?? 0) >= goal,
      );
    });
  }
}
