import type { RunningGroup } from "../run-pd.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import type { PdMetrics } from "./pd-metrics.ts";

/** Sets the gauges that every member has. */
export function fillMemberGauges(metrics: PdMetrics, group: RunningGroup): void {
  metrics.isLeader.value = group.isServing ? 1 : 0;
  metrics.leaderMember.value = group.leaderMemberId;
  metrics.appliedIndex.value = group.appliedIndex;
  const members = group.isServing ? group.members() : [];
  metrics.members.up.value = members.filter(({ isUp }) => isUp).length;
  metrics.members.down.value = members.length - metrics.members.up.value;
}

/**
 * Sets the gauges of the cluster, which only the member that leads knows.
 *
 * @param driver undefined: it does not lead, and shows nothing of it
 */
export function fillClusterGauges(metrics: PdMetrics, driver: PlacementDriver | undefined): void {
  fillStores(metrics, driver);
  fillRegions(metrics, driver);
  const operators = driver?.operators.controller.active() ?? [];
  metrics.operators.running.value = operators.filter(({ state }) => state === "Running").length;
  metrics.operators.waiting.value = operators.length - metrics.operators.running.value;
  metrics.streams.value = driver?.streamCount ?? 0;
}

function fillStores(metrics: PdMetrics, driver: PlacementDriver | undefined): void {
  const stores = driver?.lookup.countedStores() ?? [];
  const count = (condition: string): number => stores.filter((store) => store.condition === condition).length;
  metrics.stores.up.value = count("Up");
  metrics.stores.disconnected.value = count("Disconnected");
  metrics.stores.down.value = count("Down");
  metrics.stores.tombstone.value = count("Tombstone");
  const up = stores.filter(({ condition }) => condition === "Up");
  metrics.storesWithTrouble.slow.value = up.filter(({ stats }) => stats?.isSlow === true).length;
  metrics.storesWithTrouble.full.value = up.filter(({ stats }) => stats?.isFull === true).length;
  metrics.storeRegions.clear();
  metrics.storeLeaders.clear();
  for (const { store, condition, regionCount, leaderCount } of stores) {
    if (condition !== "Tombstone") {
      metrics.storeRegions.of(String(store.id)).value = regionCount;
      metrics.storeLeaders.of(String(store.id)).value = leaderCount;
    }
  }
}

/** One walk over the Regions. */
function fillRegions(metrics: PdMetrics, driver: PlacementDriver | undefined): void {
  const troubles = { noLeader: 0, down: 0, pending: 0, damaged: 0 };
  for (const region of driver?.cluster.durable.regions.all() ?? []) {
    const status = driver?.cluster.infoOf(region).status;
    troubles.down += (status?.downPeerIds.length ?? 0) > 0 ? 1 : 0;
    troubles.pending += (status?.pendingPeerIds.length ?? 0) > 0 ? 1 : 0;
    troubles.damaged += (status?.damagedPeerIds.length ?? 0) > 0 ? 1 : 0;
  }
  const regionCount = driver?.cluster.durable.regions.size ?? 0;
  metrics.regions.value = regionCount;
  metrics.regionsTroubled.no_leader.value = regionCount - (driver?.lookup.ledRegionCount() ?? regionCount);
  metrics.regionsTroubled.down_peer.value = troubles.down;
  metrics.regionsTroubled.pending_peer.value = troubles.pending;
  metrics.regionsTroubled.damaged_peer.value = troubles.damaged;
}
