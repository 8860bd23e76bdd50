/** What the health of a cluster is judged by. */
export interface ClusterFigures {
  /** Whether the initial Regions were placed. */
  readonly bootstrapped: boolean;
  /** So many Stores must register before they are. */
  readonly bootstrapStoreCount: number;
  readonly registeredStoreCount: number;
  readonly upStoreCount: number;
  readonly regionCount: number;
  readonly regionWithLeaderCount: number;
  /** Regions with peers on Stores that do not answer, or that are gone for good. */
  readonly regionWithDownPeerCount: number;
  /** Regions with peers whose rows differ from the leader's. */
  readonly regionWithDamagedPeerCount: number;
  /** Stores whose disk is so full that they take no writes. */
  readonly fullStoreIds: readonly number[];
  /** Of the placement driver: those that its leader, which says this, does not hear. */
  readonly silentMemberNames: readonly string[];
  readonly memberCount: number;
}

/** What of the figures is counted by looking at each Region, as the placement driver tells of them. */
export class RegionTally {
  #downCount = 0;
  #damagedCount = 0;

  get figures(): Pick<ClusterFigures, "regionWithDownPeerCount" | "regionWithDamagedPeerCount"> {
    return { regionWithDownPeerCount: this.#downCount, regionWithDamagedPeerCount: this.#damagedCount };
  }

  add(
    routes: readonly {
      readonly downPeerIds: readonly unknown[];
      readonly damagedPeerIds: readonly unknown[];
    }[],
  ): void {
    for (const { downPeerIds, damagedPeerIds } of routes) {
      this.#downCount += downPeerIds.length > 0 ? 1 : 0;
      this.#damagedCount += damagedPeerIds.length > 0 ? 1 : 0;
    }
  }
}

/** What of the figures is told by the placement driver's members and Stores. */
export function tellingFigures(
  members: readonly { readonly id: bigint; readonly name: string; readonly isUp: boolean }[],
  leaderMemberId: bigint,
  stores: readonly {
    readonly store?: { readonly id: bigint } | undefined;
    readonly stats?: { readonly isFull: boolean } | undefined;
  }[],
): Pick<ClusterFigures, "memberCount" | "silentMemberNames" | "fullStoreIds"> {
  const silent = members.filter(({ id, isUp }) => !isUp && id !== leaderMemberId);
  const full = stores.filter(({ stats }) => stats?.isFull === true);
  return {
    memberCount: members.length,
    silentMemberNames: silent.map(({ name }) => name),
    fullStoreIds: full.map(({ store }) => Number(store?.id ?? 0)),
  };
}

/** Stable names of what can be wrong. */
export const clusterProblemKinds = [
  "waiting-for-stores",
  "silent-stores",
  "leaderless-regions",
  "full-disks",
  "damaged-peers",
  "down-peers",
  "silent-members",
] as const;

/** Something that keeps a cluster from being healthy. */
export interface ClusterProblem {
  readonly kind: (typeof clusterProblemKinds)[number];
  /** `bad`: somebody is not served, or soon not; `warn`: one more loss would be bad. */
  readonly level: "bad" | "warn";
  /** What is wrong, with the figures. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

/** Whatever is wrong with the cluster, the worst first; nothing where it is healthy. The one place that decides it. */
export function clusterProblems(figures: ClusterFigures): ClusterProblem[] {
  const { registeredStoreCount, regionCount } = figures;
  if (!figures.bootstrapped) {
    return [
      {
        kind: "waiting-for-stores",
        level: "warn",
        message: `waiting for Stores: ${registeredStoreCount} of ${figures.bootstrapStoreCount} have registered`,
        advice: "start the others: the Regions are placed as soon as all are up",
      },
    ];
  }
  const silentCount = registeredStoreCount - figures.upStoreCount;
  const leaderlessCount = regionCount - figures.regionWithLeaderCount;
  const { fullStoreIds, silentMemberNames, memberCount } = figures;
  const damagedCount = figures.regionWithDamagedPeerCount;
  const lackingCount = figures.regionWithDownPeerCount;
  const problems: (ClusterProblem & { readonly count: number })[] = [
    {
      kind: "silent-stores",
      level: "bad",
      count: silentCount,
      message: `${silentCount} of ${registeredStoreCount} Stores ${verb(silentCount, "does", "do")} not answer`,
      advice:
        "start their processes, or look at the network between them and the placement driver; one that is gone for good: rdb store decommission ID",
    },
    {
      kind: "leaderless-regions",
      level: "bad",
      count: leaderlessCount,
      message: `${leaderlessCount} of ${regionCount} Regions ${verb(leaderlessCount, "has", "have")} no leader`,
      advice:
        "their keys cannot be read or written: start the Stores of their peers, see rdb region list --state leaderless",
    },
    {
      kind: "full-disks",
      level: "bad",
      count: fullStoreIds.length,
      message: `the disk of Store ${fullStoreIds.join(", ")} is nearly full: it takes no writes`,
      advice: "free or add room, or add Stores: rdb store list shows what each has",
    },
    {
      kind: "damaged-peers",
      level: "bad",
      count: damagedCount,
      message: `${damagedCount} of ${regionCount} Regions ${verb(damagedCount, "has", "have")} peers whose rows differ from the leader's`,
      advice:
        "those peers serve nobody and are replaced: rdb region list --state damaged-peers lists them; look at the disks of their Stores",
    },
    {
      // Also where every Store answers: a Store that is gone for good counts no more, its peers do.
      kind: "down-peers",
      level: "warn",
      count: lackingCount,
      message: `${lackingCount} of ${regionCount} Regions ${verb(lackingCount, "has", "have")} peers that are down`,
      advice:
        "they bear fewer losses until those are back or replaced: rdb region list --state down-peers lists them, rdb operator explain ID says what is done about it",
    },
    {
      kind: "silent-members",
      level: "warn",
      count: silentMemberNames.length,
      message: `${silentMemberNames.length} of ${memberCount} members of the placement driver ${verb(silentMemberNames.length, "does", "do")} not answer: ${silentMemberNames.join(", ")}`,
      advice: "start them again, or replace them: rdb pd --help says how",
    },
  ];
  return problems.filter(({ count }) => count > 0).map(({ count: _count, ...problem }) => problem);
}

function verb(count: number, one: string, several: string): string {
  return count === 1 ? one : several;
}
