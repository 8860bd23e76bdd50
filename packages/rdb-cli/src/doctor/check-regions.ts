import { keysEqual } from "@flaredb/rdb-base";
import { PeerRole, type RegionRoute } from "@flaredb/rdb-proto";
import { printable } from "../output/text.ts";
import type { ClusterFacts, Finding } from "./facts.ts";
import { listed } from "./listed.ts";

const idsOf = (routes: readonly RegionRoute[]): string =>
  listed(routes.map(({ region }) => String(region?.id)));

/** Whether every Region has a leader. */
export function checkLeaders({ routes }: ClusterFacts): Finding {
  const check = "leaders";
  const lacking = routes.filter(({ leader }) => leader === undefined);
  if (lacking.length > 0) {
    return {
      check,
      level: "bad",
      message: `${lacking.length} of ${routes.length} Regions have no leader: ${idsOf(lacking)}`,
      advice: "their keys cannot be read or written: start the Stores of their peers, see rdb region show ID",
    };
  }
  return { check, level: "ok", message: `all ${routes.length} Regions have one` };
}

/** Whether Regions have all their peers, and could lose one. */
export function checkPeers({ routes, replicaCount }: ClusterFacts): Finding {
  const check = "peers";
  const damaged = routes.filter(({ damagedPeerIds }) => damagedPeerIds.length > 0);
  if (damaged.length > 0) {
    const message = `rows of ${damaged.length} Regions differ between peers: ${idsOf(damaged)}`;
    return { check, level: "bad", message, advice: "PD replaces those peers: see rdb region show ID" };
  }
  const lacking = routes.filter((route) => route.downPeerIds.length > 0 || tooFew(route, replicaCount));
  if (lacking.length > 0) {
    return {
      check,
      level: "warn",
      message: `${lacking.length} of ${routes.length} Regions lack peers, or have some that are down: ${idsOf(lacking)}`,
      advice: "why nothing is done about it: rdb operator explain ID",
    };
  }
  const each = replicaCount === undefined ? "all that were placed" : `${replicaCount} each`;
  return { check, level: "ok", message: `every Region has its peers, ${each}` };
}

function tooFew({ region }: RegionRoute, replicaCount: number | undefined): boolean {
  const voters = region?.peers.filter(
    ({ role }) => role === PeerRole.VOTER || role === PeerRole.INCOMING_VOTER,
  );
  return replicaCount !== undefined && (voters?.length ?? 0) < replicaCount;
}

/** Whether followers keep up. */
export function checkLag({ routes }: ClusterFacts): Finding {
  const check = "lag";
  const behind = routes.filter(({ pendingPeerIds }) => pendingPeerIds.length > 0);
  if (behind.length > 0) {
    return {
      check,
      level: "warn",
      message: `peers of ${behind.length} Regions are behind or being sent a snapshot: ${idsOf(behind)}`,
      advice: "normal for a while after a move or a restart; if it stays, look at the Stores of those peers",
    };
  }
  return { check, level: "ok", message: "no peer is behind" };
}

/** Whether the Regions cover every key once. */
export function checkCoverage({ info, routes }: ClusterFacts): Finding {
  const check = "key space";
  const faults: string[] = [];
  let end: Uint8Array | undefined = new Uint8Array(0);
  for (const { region } of routes) {
    const startKey = region?.startKey ?? new Uint8Array(0);
    if (end === undefined || !keysEqual(end, startKey)) {
      faults.push(`at "${printable(startKey)}"`);
    }
    const endKey = region?.endKey ?? new Uint8Array(0);
    end = endKey.length === 0 ? undefined : endKey;
  }
  if (end !== undefined && info.bootstrapped) {
    faults.push("at its end");
  }
  if (faults.length > 0) {
    return {
      check,
      level: "warn",
      message: `Regions leave a hole or overlap ${listed(faults)}`,
      advice: "for a moment a split or merge looks like this; if it stays, report it",
    };
  }
  return { check, level: "ok", message: "Regions cover every key once" };
}
