import { EMPTY_KEY, type RegionId } from "@flaredb/rdb-base";
import type { ClusterState, Moment } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { Checker } from "../placement/decision.ts";
import type { PlacementView } from "../placement/placement-view.ts";
import type { Planner } from "./planner.ts";
import { type DecisionOutcome, outcomeOf } from "./schedule-loop.ts";

export interface PatrolOptions {
  readonly cluster: ClusterState;
  readonly view: PlacementView;
  /** In the order in which they are asked; the first that acts has the Region. */
  readonly checkers: readonly Checker[];
  readonly isPaused: (name: string) => boolean;
  readonly planner: Planner;
  /** Ids at hand. Decisions of one turn take many, and further ones come only after it. */
  readonly idCount: () => number;
  /** What the checker said last that is worth telling. */
  readonly said: (name: string, word: string) => void;
  readonly decided: (name: string, outcome: DecisionOutcome) => void;
}

/** Walks over all Regions, a slice at a time, and looks at those that changed out of their turn. */
export class Patrol {
  readonly #options: PatrolOptions;
  /** Regions that changed since they were looked at. */
  readonly #changed = new Set<RegionId>();
  /** Where the next slice begins; undefined: a new round. */
  #nextKey: Uint8Array | undefined;
  #roundMonotonicMs = Number.NEGATIVE_INFINITY;
  #roundCount = 0;

  constructor(options: PatrolOptions) {
    this.#options = options;
  }

  /** Full rounds since PD's start. */
  get roundCount(): number {
    return this.#roundCount;
  }

  regionChanged(id: RegionId): void {
    if (this.#changed.size < pdLimits.changedRegionMaxCount) {
      this.#changed.add(id);
    }
  }

  /** What changed, and the next slice. */
  tick(now: Moment): void {
    const batch = this.#batch();
    let count = 0;
    for (const id of this.#changed) {
      if (count === batch || !this.#hasIds) {
        break;
      }
      count += 1;
      this.#changed.delete(id);
      const info = this.#options.cluster.region(id);
      if (info !== undefined) {
        this.#check(info, now);
      }
    }
    this.#slice(batch, now);
  }

  #slice(batch: number, now: Moment): void {
    if (this.#nextKey === undefined) {
      if (now.monotonicMs - this.#roundMonotonicMs < pdLimits.patrolRoundMinMs) {
        return;
      }
      this.#roundMonotonicMs = now.monotonicMs;
      this.#nextKey = EMPTY_KEY;
    }
    const { cluster } = this.#options;
    const { regions, next } = cluster.durable.regions.page(this.#nextKey, batch);
    for (const region of regions) {
      if (!this.#hasIds) {
        this.#nextKey = region.startKey;
        return;
      }
      this.#check(cluster.infoOf(region), now);
    }
    this.#nextKey = next?.startKey;
    this.#roundCount += next === undefined ? 1 : 0;
  }

  #check(info: RegionInfo, now: Moment): void {
    const { view, checkers, isPaused, planner, said, decided } = this.#options;
    const { id } = info.region;
    const onlyRepairs = view.hasOperator(id);
    if (onlyRepairs && !planner.mayRepair(id)) {
      return;
    }
    for (const checker of checkers) {
      if (isPaused(checker.name) || (onlyRepairs && checker.repairs !== true)) {
        continue;
      }
      const decision = checker.check(info, view);
      if (!decision.acts || (onlyRepairs && decision.plan.repairs !== true)) {
        continue;
      }
      // Whoever has no room has the Region all the same: those behind it must not change what is to be repaired first.
      const hasRoom = planner.roomFor(checker.name) > 0;
      const { takenCount, refusal } = planner.take(hasRoom ? [decision.plan] : [], now);
      decided(checker.name, hasRoom ? outcomeOf(takenCount, refusal) : "no-room");
      said(checker.name, hasRoom ? (refusal ?? decision.plan.motive) : planner.noRoomWord(checker.name));
      return;
    }
    planner.discard();
  }

  get #hasIds(): boolean {
    return this.#options.idCount() >= pdLimits.decisionMinIdCount;
  }

  /** Regions of one slice: as configured, or so many that a round ends in time. */
  #batch(): number {
    const { patrolBatch, patrolIntervalMs } = this.#options.view.config;
    const aim = (this.#options.cluster.durable.regions.size * patrolIntervalMs) / pdLimits.patrolRoundAimMs;
    return Math.max(patrolBatch, Math.ceil(aim));
  }
}
