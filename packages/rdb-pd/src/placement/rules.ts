import { JointStateChecker } from "./checker/joint-state-checker.ts";
import { LearnerChecker } from "./checker/learner-checker.ts";
import { MergeChecker } from "./checker/merge-checker.ts";
import { LocationChecker } from "./checker/location-checker.ts";
import { ReplicaChecker } from "./checker/replica-checker.ts";
import { SplitChecker } from "./checker/split-checker.ts";
import type { Checker, Scheduler } from "./decision.ts";
import { BalanceLeaderScheduler } from "./scheduler/balance-leader.ts";
import { BalanceRegionScheduler } from "./scheduler/balance-region.ts";
import { EvictLeaderScheduler } from "./scheduler/evict-leader.ts";
import { EvictSlowStoreScheduler } from "./scheduler/evict-slow-store.ts";
import { HotRegionScheduler } from "./scheduler/hot-region.ts";

export { scatterPlan } from "./scheduler/scatter.ts";

/** In the order in which a Region is asked about: the first that acts is heard. */
export function checkers(): Checker[] {
  return [
    new JointStateChecker(),
    new LearnerChecker(),
    new ReplicaChecker(),
    new LocationChecker(),
    new SplitChecker(),
    new MergeChecker(),
  ];
}

/** In the order in which they are asked. */
export function schedulers(): Scheduler[] {
  return [
    new EvictLeaderScheduler(),
    new EvictSlowStoreScheduler(),
    new BalanceLeaderScheduler(),
    new BalanceRegionScheduler(),
    new HotRegionScheduler(),
  ];
}
