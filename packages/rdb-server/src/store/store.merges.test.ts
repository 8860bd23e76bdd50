import { type Region, type RegionId, regionId } from "@flaredb/rdb-base";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import { SimCluster, type SimStore, expectConverged, text } from "../testing/index.ts";
import type { AdminOutcome } from "./admin-command.ts";

const LEFT = regionId(1);
const RIGHT = regionId(2);

interface Merge {
  readonly source: RegionId;
  readonly target: RegionId;
}

/** As PD: asks the source's leader, for the Regions as that leader's Store knows them. */
async function merge(cluster: SimCluster, { source, target }: Merge): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader(() => true, source);
  const { region } = cluster.statusOf(leader, source);
  const other = cluster.statusOf(leader, target).region;
  return cluster.complete(leader.store.mergeRegion({ regionId: source, epoch: region.epoch, target: other }));
}

/** Asks until the merge is taken: followers may be a round behind. */
async function mergeTaken(cluster: SimCluster, which: Merge): Promise<void> {
  let outcome: AdminOutcome = { ok: true };
  for (let attempt = 0; attempt < 100; attempt++) {
    outcome = await merge(cluster, which);
    if (outcome.ok) {
      return;
    }
    await cluster.run(20);
  }
  throw new Error(`the merge is not taken: ${JSON.stringify(outcome)}`);
}

function rangesOf(store: SimStore): string[] {
  return store.store
    .regionStatuses()
    .map(({ region }) => describeRegion(region))
    .toSorted();
}

function describeRegion({ id, startKey, endKey, epoch }: Region): string {
  return `${id}:${text(startKey)}-${text(endKey)}@${epoch.version}`;
}

async function untilRanges(
  cluster: SimCluster,
  ranges: readonly string[],
  stores = cluster.stores,
): Promise<void> {
  await cluster.until(`the Stores have ${ranges.join(" ")}`, () =>
    stores.every((store) => rangesOf(store).join() === ranges.join()),
  );
}

/** Two Regions, cut at `m`, with a few rows in each. */
async function twoRegions(seed: number, config: Record<string, unknown> = {}): Promise<SimCluster> {
  const cluster = await SimCluster.start({ seed, splitKeys: ["m"], config });
  for (const key of ["a", "b", "n", "z"]) {
    await cluster.put(key, `${key}1`);
  }
  return cluster;
}

async function expectRows(cluster: SimCluster): Promise<void> {
  for (const key of ["a", "b", "n", "z"]) {
    expect(await cluster.get(key)).toBe(`${key}1`);
  }
}

describe("a merge", () => {
  it("SCENARIO-55: one Region is left, with the rows of both, whichever takes the other", async () => {
    for (const [source, target, left] of [
      [RIGHT, LEFT, "1:-@3"],
      [LEFT, RIGHT, "2:-@3"],
    ] as const) {
      const cluster = await twoRegions(1);
      await mergeTaken(cluster, { source, target });
      await untilRanges(cluster, [left]);
      await expectRows(cluster);
      expect(await cluster.scan()).toEqual(["a=a1", "b=b1", "n=n1", "z=z1"]);
      await cluster.put("a", "2");
      await cluster.put("z", "2");
      for (const store of cluster.stores) {
        expect(getRegionLocalState(store.engine, source)?.state).toBe("Tombstone");
      }
      await expectConverged(cluster);
    }
  });
});
