import { PeerRole, type RegionRoute, StoreState, type StoreStatus } from "@flaredb/rdb-proto";
import type { RdbClient } from "@flaredb/rdb-client";
import type { ClusterLook } from "./elastic-cluster.ts";
import type { RowWriter } from "./row-writer.ts";

const PEERS_WANTED = 3;
const TOLERANCE = 0.1;
const PROBLEMS_TOLD = 5;

/** Stores that hold data: up, neither draining nor gone. */
function servingStores(look: ClusterLook): StoreStatus[] {
  return look.stores.filter(({ store }) => store?.state === StoreState.UP);
}

/** What keeps each Region from having three live peers, in words. */
export function unhealedRegions(look: ClusterLook): string[] {
  const live = new Set(servingStores(look).map(({ store }) => store?.id));
  return look.regions.flatMap((route) => {
    const problem = problemOf(route, live);
    return problem === undefined ? [] : [`Region ${route.region?.id} ${problem}`];
  });
}

function problemOf(route: RegionRoute, live: ReadonlySet<bigint | undefined>): string | undefined {
  const peers = route.region?.peers ?? [];
  const voters = peers.filter((peer) => peer.role === PeerRole.VOTER);
  const ill = [...route.downPeerIds, ...route.pendingPeerIds, ...route.damagedPeerIds];
  if (voters.length !== PEERS_WANTED || peers.length !== PEERS_WANTED) {
    return `has ${voters.length} voters among ${peers.length} peers`;
  }
  if (route.leader === undefined) {
    return "has no leader";
  }
  if (peers.some((peer) => !live.has(peer.storeId))) {
    return "has a peer on a Store that is not up";
  }
  return ill.length === 0 ? undefined : `has peers that are down, behind or damaged: ${ill.join(", ")}`;
}

/** Counts that are further than a tenth from the mean; one Region more or less always counts as even. */
export function unevenCounts(look: ClusterLook): string[] {
  const stores = servingStores(look);
  return (["regionCount", "leaderCount"] as const).flatMap((field) => {
    const mean = stores.reduce((sum, status) => sum + status[field], 0) / stores.length;
    const slack = Math.max(1, mean * TOLERANCE);
    return stores
      .filter((status) => Math.abs(status[field] - mean) > slack)
      .map(
        ({ store, [field]: count }) =>
          `Store ${store?.id}: ${field} ${count}, even would be ${mean.toFixed(1)}`,
      );
  });
}

/** What keeps the cluster from being at rest. */
export function unrest(look: ClusterLook): string[] {
  const draining = look.stores.filter(({ store }) => store?.state === StoreState.DRAINING);
  return [
    ...(look.operatorCount > 0 ? [`${look.operatorCount} operators wait or run`] : []),
    ...draining.map(
      ({ store, regionCount }) => `Store ${store?.id} still has ${regionCount} Regions to give`,
    ),
    ...unhealedRegions(look),
  ];
}

/** Reads every row back; returns in words which acknowledged ones are missing or other than written. */
export async function lostRows(client: RdbClient, writer: RowWriter): Promise<string[]> {
  const { rows } = writer;
  const found = new Uint8Array(writer.begunCount);
  const problems: string[] = [];
  for await (const row of client.scan()) {
    const key = Buffer.from(row.key).toString();
    const sequence = rows.sequenceOf(key);
    if (rows.key(sequence) !== key || sequence >= writer.begunCount) {
      problems.push(`${key} was never written`);
    } else if (Buffer.compare(row.value, rows.value(sequence)) !== 0) {
      problems.push(`${key} has another value`);
    } else {
      found[sequence] = 1;
    }
  }
  for (let sequence = 0; sequence < writer.begunCount; sequence++) {
    if (found[sequence] === 0 && writer.isAcknowledged(sequence)) {
      problems.push(`${rows.key(sequence)} is missing`);
    }
  }
  return problems;
}

/** The first few of many, and how many there are. */
export function few(problems: readonly string[]): string {
  const more = problems.length - PROBLEMS_TOLD;
  return `${problems.slice(0, PROBLEMS_TOLD).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
