import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "./chaos-cluster.ts";

/** A fault that is on. */
export interface Fault {
  /** What was done to whom, for the timeline: `kill -9 of store-2`. */
  readonly text: string;
  /** What came of it, once it is over: `2,103 messages lost`. */
  readonly outcome?: () => string;
  /** Takes it away. What was killed is started again, and serves when this resolves. */
  end(): Promise<void>;
}

type Means = "process" | "network" | "packets" | "messages" | "disk" | "clock";

/** One way to break a running cluster. It holds nothing between two faults. */
export interface Nemesis {
  /** For `--only` and the timeline; kebab-case. */
  readonly name: string;
  /** How long its faults last, milliseconds. */
  readonly lastsMs: { readonly min: number; readonly max: number };
  /**
   * Whether clients still reach a majority of every Region while the fault is on. Then the longest gap in writes
   * counts; otherwise nothing is promised until the fault is over, and then only that writes resume in time.
   */
  readonly majorityStays: boolean;
  /** By what it works: two that work by the same are not on at once. */
  readonly means: Means;
  /** Everybody is up and reaches everybody, only worse: another fault may be on beside it, and what that promises holds. */
  readonly isMild: boolean;
  /** Breaks something; whom it hits is `random`'s to choose. */
  begin(cluster: ChaosCluster, random: Random): Promise<Fault>;
}

/** One of several. @throws Error when there is none */
export function pick<Item>(items: readonly Item[], random: Random): Item {
  const item = items[random.nextInt(Math.max(1, items.length))];
  if (item === undefined) {
    throw new Error("there is nothing to choose from");
  }
  return item;
}
