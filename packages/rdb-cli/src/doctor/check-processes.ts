import { StoreState } from "@flaredb/rdb-proto";
import { formatBytes } from "../output/text.ts";
import type { ClusterFacts, Finding } from "./facts.ts";
import { listed } from "./listed.ts";

/** Clocks that differ by more are worth a look: log time and what people read differ too. */
const CLOCK_WARN_MS = 1_000;
/** A Region refuses writes that were issued further than 5 s ahead of its log time. */
const CLOCK_BAD_MS = 5_000;
/** Disks with less room are near the end. */
const DISK_WARN_SHARE = 0.1;

/** Whether PD has a leader, which follows from its answer, and could lose a member. */
export function checkPd({ info }: ClusterFacts): Finding {
  const check = "pd";
  const voters = info.members.filter((member) => !member.isLearner);
  const silent = voters.filter((member) => !member.isUp && member.id !== info.leaderMemberId);
  const quorum = Math.floor(voters.length / 2) + 1;
  const spare = voters.length - silent.length - quorum;
  const leader = info.members.find((member) => member.id === info.leaderMemberId);
  if (silent.length > 0) {
    return {
      check,
      level: "warn",
      message: `${silent.length} of ${voters.length} members do not answer: ${listed(silent.map(({ name }) => name))}; ${spare} more may fail`,
      advice: "start them again, or replace them: see rdb pd --help",
    };
  }
  return {
    check,
    level: "ok",
    message: `${voters.length} of ${voters.length} members answer, ${leader?.name ?? "one"} leads`,
  };
}

/** Whether every Store is there. */
export function checkStores({ info, stores }: ClusterFacts): Finding {
  const check = "stores";
  const named = (state: StoreState): string[] =>
    stores.filter(({ store }) => store?.state === state).map(({ store }) => `Store ${store?.id}`);
  const gone = [...named(StoreState.DOWN), ...named(StoreState.DISCONNECTED)];
  if (!info.bootstrapped) {
    return {
      check,
      level: "bad",
      message: `${info.registeredStoreCount} of ${info.bootstrapStoreCount} Stores have registered: there are no Regions yet`,
      advice: "start the others: the cluster begins when all have registered",
    };
  }
  if (gone.length > 0) {
    return {
      check,
      level: "bad",
      message: `${listed(gone)} ${gone.length === 1 ? "does" : "do"} not answer PD`,
      advice: "start them again; one that is gone for good: rdb store decommission ID",
    };
  }
  const slow = stores.filter(({ stats }) => stats?.isSlow === true).map(({ store }) => `Store ${store?.id}`);
  const draining = named(StoreState.DRAINING);
  if (slow.length > 0) {
    const message = `${listed(slow)}: the disk answers too slowly, leaderships are handed away`;
    return { check, level: "warn", message, advice: "look at the disk and at what else uses it" };
  }
  return {
    check,
    level: "ok",
    message: `${info.upStoreCount} up${draining.length > 0 ? `, being emptied: ${listed(draining)}` : ""}`,
  };
}

/** Whether disks have room. */
export function checkDisks({ stores }: ClusterFacts): Finding {
  const check = "disks";
  const full = stores.filter(({ stats }) => stats?.isFull === true);
  if (full.length > 0) {
    return {
      check,
      level: "bad",
      message: `${listed(full.map(({ store }) => `Store ${store?.id}`))}: nearly full, takes no writes`,
      advice: "free or add room, or add Stores",
    };
  }
  const rooms = stores.flatMap(({ store, stats }) =>
    stats === undefined || stats.capacityBytes === 0n
      ? []
      : [
          {
            id: store?.id,
            freeBytes: Number(stats.availableBytes),
            share: Number(stats.availableBytes) / Number(stats.capacityBytes),
          },
        ],
  );
  const scarce = rooms.filter(({ share }) => share < DISK_WARN_SHARE);
  if (scarce.length > 0) {
    const each = scarce.map(({ id, freeBytes }) => `Store ${id}: ${formatBytes(freeBytes)}`);
    return {
      check,
      level: "warn",
      message: `little room is left: ${listed(each)}`,
      advice: "add room, or Stores",
    };
  }
  const least = Math.min(...rooms.map(({ freeBytes }) => freeBytes));
  return {
    check,
    level: "ok",
    message:
      rooms.length === 0
        ? "no Store has told its room yet"
        : `at least ${formatBytes(least)} free everywhere`,
  };
}

/** Whether all programs are of one version. */
export function checkVersions({ info, stores, processes }: ClusterFacts): Finding {
  const check = "versions";
  const versions = new Map<string, string[]>();
  const note = (version: string | undefined, name: string): void => {
    if (version !== undefined && version !== "") {
      versions.set(version, [...(versions.get(version) ?? []), name]);
    }
  };
  for (const { store } of stores) {
    if (store?.state !== StoreState.TOMBSTONE) {
      note(store?.programVersion, `Store ${store?.id}`);
    }
  }
  const members = processes.filter(({ version }) => version !== undefined);
  for (const { version, name } of members) {
    note(version, name);
  }
  if (members.length === 0) {
    note(info.programVersion, "PD");
  }
  if (info.clusterVersion < info.newestClusterVersion) {
    return {
      check,
      level: "warn",
      message: `the cluster version is ${info.clusterVersion}, ${info.newestClusterVersion} waits: ${info.clusterVersionWaitsFor.join("; ")}`,
      advice: "finish the update; a Store that will not come back: rdb store decommission ID",
    };
  }
  if (versions.size > 1) {
    const each = [...versions].map(([version, names]) => `${version} (${listed(names)})`);
    return { check, level: "warn", message: `they differ: ${each.join(", ")}`, advice: "finish the update" };
  }
  return { check, level: "ok", message: `all are ${[...versions.keys()].join("")}` };
}

/** Whether every process can be reached from here. */
export function checkReachable({ processes }: ClusterFacts): Finding {
  const check = "reachable";
  const silent = processes.filter(({ failure }) => failure !== undefined);
  if (silent.length > 0) {
    const each = silent.map(({ name, httpAddress, failure }) => `${name} at ${httpAddress} (${failure})`);
    return {
      check,
      level: "warn",
      message: `no answer over HTTP from ${listed(each)}`,
      advice: "is the process running, and may this machine reach that address?",
    };
  }
  return { check, level: "ok", message: `${processes.length} processes answer over HTTP` };
}

/** Whether clocks agree, with ours too. What is said is the least that they surely differ by. */
export function checkClocks({ processes }: ClusterFacts): Finding {
  const check = "clocks";
  const readings = [
    { name: "this machine", clock: { leastMs: 0, mostMs: 0 } },
    ...processes.flatMap(({ name, clock }) => (clock === undefined ? [] : [{ name, clock }])),
  ];
  const ahead = readings.reduce((a, b) => (b.clock.leastMs > a.clock.leastMs ? b : a));
  const behind = readings.reduce((a, b) => (b.clock.mostMs < a.clock.mostMs ? b : a));
  const differenceMs = Math.max(0, ahead.clock.leastMs - behind.clock.mostMs);
  if (differenceMs < CLOCK_WARN_MS) {
    const message =
      readings.length === 1
        ? "no process has told its time"
        : `no two surely differ by ${CLOCK_WARN_MS / 1000} s or more`;
    return { check, level: "ok", message };
  }
  return {
    check,
    level: differenceMs >= CLOCK_BAD_MS ? "bad" : "warn",
    message: `${ahead.name} is at least ${(differenceMs / 1000).toFixed(1)} s ahead of ${behind.name}`,
    advice: "let all machines follow one time server: writes issued 5 s ahead of a Region are refused",
  };
}
