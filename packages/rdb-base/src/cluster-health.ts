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
}

/** Something that keeps a cluster from being healthy. */
export interface ClusterProblem {
  /** Stable. */
  readonly kind: "waiting-for-stores" | "silent-stores" | "leaderless-regions" | "down-peers";
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
      // Also where every Store answers: a Store that is gone for good counts no more, its peers do.
      kind: "down-peers",
      level: "warn",
      count: lackingCount,
      message: `${lackingCount} of ${regionCount} Regions ${verb(lackingCount, "has", "have")} peers that are down`,
      advice:
        "they bear fewer losses until those are back or replaced: rdb region list --state down-peers lists them, rdb operator explain ID says what is done about it",
    },
  ];
  return problems.filter(({ count }) => count > 0).map(({ count: _count, ...problem }) => problem);
}

function verb(count: number, one: string, several: string): string {
  return count === 1 ? one : several;
}
