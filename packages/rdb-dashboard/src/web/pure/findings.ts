import type { Cluster, Store } from "../api/gen/types.ts";
import { formatAddress } from "./address.ts";
import { counted, formatAgo, formatBytes, formatShare } from "./format.ts";

/** `bad`: somebody is not served, or soon not; `warn`: one more loss would be bad; `note`: known and wanted. */
export type Level = "bad" | "warn" | "note";

/** Something about the cluster that people should know, and what they can do. */
export interface Finding {
  readonly level: Level;
  readonly message: string;
  readonly advice: string;
  /** Where the dashboard shows more. */
  readonly address: string;
}

/** A disk with less of its room is near the end. */
const SCARCE_SHARE = 0.1;

const ranks: Readonly<Record<Level, number>> = { bad: 0, warn: 1, note: 2 };

/** What is wrong with the cluster, the worst first. */
export function findingsOf(cluster: Cluster, stores: readonly Store[], nowMs: number): Finding[] {
  const present = stores.filter(({ state }) => state !== "tombstone");
  const found = [
    ...storeFindings(present, nowMs),
    ...regionFindings(cluster),
    ...memberFindings(cluster),
    ...diskFindings(present),
    ...versionFindings(cluster, present),
  ];
  return found.sort((a, b) => ranks[a.level] - ranks[b.level]);
}

/** How the cluster is, in one sentence. */
export function healthSentence(cluster: Cluster, findings: readonly Finding[]): string {
  if (!cluster.bootstrapped) {
    const missing = cluster.bootstrapStoreCount - cluster.registeredStoreCount;
    return `Waiting for ${counted(missing, "more Store")} to register: there are no Regions yet.`;
  }
  const serious = findings.filter(({ level }) => level !== "note");
  const [first] = serious;
  if (first === undefined) {
    const { upStoreCount, regionCount } = cluster;
    const regions = regionCount === 1 ? "the one Region has" : `all ${counted(regionCount, "Region")} have`;
    return `All is well: ${upStoreCount === 1 ? "the one Store answers" : `all ${counted(upStoreCount, "Store")} answer`}, and ${regions} a leader.`;
  }
  const rest = serious.length - 1;
  return `${first.message}${rest === 0 ? "." : `, and ${counted(rest, "more thing")} to look at.`}`;
}

/** The worst of what was found. */
export function worstLevel(cluster: Cluster, findings: readonly Finding[]): Level | "good" {
  const [first] = findings;
  return !cluster.bootstrapped
    ? "warn"
    : first === undefined || first.level === "note"
      ? "good"
      : first.level;
}

function storeFindings(stores: readonly Store[], nowMs: number): Finding[] {
  const address = formatAddress(["stores"]);
  return stores.flatMap((store): Finding[] => {
    const name = `Store ${store.id}`;
    if (store.state === "down" || store.state === "disconnected") {
      return [
        {
          level: "bad",
          message: `${name} does not answer (last heard ${formatAgo(store.lastHeartbeatMs, nowMs)})`,
          advice:
            store.state === "down"
              ? "It is taken for lost and its peers are replaced. Start it again, or if it is gone for good: rdb store decommission."
              : "Start its process, or look at the network between it and the placement driver.",
          address,
        },
      ];
    }
    const found: Finding[] = [];
    if (store.isSlow) {
      found.push({
        level: "warn",
        message: `The disk of ${name} answers too slowly`,
        advice: "Its leaderships are handed away. Look at the disk and at what else uses it.",
        address,
      });
    }
    if (store.state === "draining") {
      const text = `${name} is being emptied: ${counted(store.regionCount, "Region")} to go`;
      found.push({
        level: "note",
        message: text,
        advice: "Its process can be stopped once it is gone from the list.",
        address,
      });
    }
    if (store.evictsLeaders) {
      found.push({
        level: "note",
        message: `${name} is kept from leading`,
        advice: `Until it is allowed to again: rdb scheduler resume, or the Stores page.`,
        address,
      });
    }
    return found;
  });
}

/** States by which the Regions page is filtered. */
const regionStates = {
  "leaderless-regions": "leaderless",
  "damaged-peers": "damaged-peers",
  "down-peers": "down-peers",
} as const;

/** What the placement driver itself finds wrong with Regions; of its Stores this page knows more. */
function regionFindings({ findings }: Cluster): Finding[] {
  return findings.flatMap(({ kind, level, message, advice }) =>
    kind === "leaderless-regions" || kind === "damaged-peers" || kind === "down-peers"
      ? [{ level, message, advice, address: formatAddress(["regions"], { state: regionStates[kind] }) }]
      : [],
  );
}

function memberFindings({ members }: Cluster): Finding[] {
  const voters = members.filter(({ isLearner }) => !isLearner);
  const silent = voters.filter(({ isUp, isLeader }) => !isUp && !isLeader);
  if (silent.length === 0) {
    return [];
  }
  const spare = voters.length - silent.length - (Math.floor(voters.length / 2) + 1);
  return [
    {
      level: "warn",
      message: `${silent.map(({ name }) => name).join(", ")} of the placement driver ${silent.length === 1 ? "does" : "do"} not answer`,
      advice: `${spare} more may fail. Start them again, or replace them: rdb pd --help.`,
      address: formatAddress([]),
    },
  ];
}

function diskFindings(stores: readonly Store[]): Finding[] {
  return stores.flatMap((store): Finding[] => {
    const { id, isFull, availableBytes, capacityBytes } = store;
    const address = formatAddress(["stores"]);
    if (isFull) {
      return [
        {
          level: "bad",
          message: `Store ${id} is nearly full and takes no writes`,
          advice: "Free or add room, or add a Store.",
          address,
        },
      ];
    }
    return availableBytes !== undefined &&
      capacityBytes !== undefined &&
      availableBytes < SCARCE_SHARE * capacityBytes
      ? [
          {
            level: "warn",
            message: `Store ${id} has ${formatBytes(availableBytes)} left, ${formatShare(availableBytes, capacityBytes)} of its disk`,
            advice: "Add room, or a Store.",
            address,
          },
        ]
      : [];
  });
}

function versionFindings({ programVersion }: Cluster, stores: readonly Store[]): Finding[] {
  const versions = new Set([programVersion, ...stores.map((store) => store.programVersion)].filter(Boolean));
  return versions.size > 1
    ? [
        {
          level: "note",
          message: `Programs of ${versions.size} versions run: ${[...versions].sort().join(", ")}`,
          advice: "Finish the update.",
          address: formatAddress(["stores"]),
        },
      ]
    : [];
}
