import type { RegionId } from "@flaredb/rdb-base";
import type { ClusterState, Moment } from "../cluster/cluster-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import { pdLimits } from "../limits.ts";
import type { ClusterPlacementView } from "../placement/cluster-placement-view.ts";
import type { Checker, Decision, Scheduler } from "../placement/decision.ts";
import { Patrol } from "./patrol.ts";
import type { Planner } from "./planner.ts";
import type { Readiness } from "./readiness.ts";
import { type DecisionOutcome, ScheduleLoop } from "./schedule-loop.ts";

export interface CoordinatorOptions {
  readonly cluster: ClusterState;
  readonly view: ClusterPlacementView;
  readonly checkers: readonly Checker[];
  readonly schedulers: readonly Scheduler[];
  readonly planner: Planner;
  readonly readiness: Readiness;
  /** Ids at hand. */
  readonly idCount: () => number;
  /** Hears what came of asking each. Default: nobody does. */
  readonly decided?: ((name: string, outcome: DecisionOutcome) => void) | undefined;
}

/** A checker or scheduler, as people see it. */
export interface Source {
  readonly name: string;
  readonly isChecker: boolean;
  /** It can be paused. */
  readonly isOptional: boolean;
  readonly isPaused: boolean;
  /** Wall clock, milliseconds since 1970; 0: until it is resumed. */
  readonly pausedUntilMs: number;
  readonly lastWord: string;
}

/** What one checker or scheduler makes of a Region. */
export interface SourceDecision {
  readonly source: string;
  readonly isPaused: boolean;
  readonly decision: Decision;
}

/**
 * Decides what is to be done, all of the time: checkers look at each Region in turn and at once when it changed, then
 * schedulers at the whole. Pure: whoever runs it lets time pass.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #patrol: Patrol;
  readonly #loop: ScheduleLoop;
  readonly #words = new Map<string, string>();
  #wallMs = 0;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    const common = {
      isPaused: (name: string) => this.#isPaused(name),
      said: (name: string, word: string) => this.#words.set(name, word),
      decided: options.decided ?? (() => {}),
    };
    this.#patrol = new Patrol({ ...options, ...common });
    this.#loop = new ScheduleLoop({ ...options, ...common });
  }

  /** Full rounds of the patrol since PD's start. */
  get patrolRoundCount(): number {
    return this.#patrol.roundCount;
  }

  /** It is looked at with the next tick. */
  regionChanged(id: RegionId): void {
    this.#patrol.regionChanged(id);
  }

  /** Looks at what is due. Plans nothing before enough is known of the cluster. */
  tick(now: Moment): void {
    const { readiness, idCount, view } = this.#options;
    this.#wallMs = now.wallMs;
    if (!readiness.isReady(now.monotonicMs) || idCount() < pdLimits.planningMinIdCount) {
      return;
    }
    view.refresh(now.monotonicMs);
    this.#patrol.tick(now);
    this.#loop.tick(now);
  }

  /** What each checker and scheduler would do with the Region now, by the very calls that decide. */
  explain(info: RegionInfo, now: Moment): SourceDecision[] {
    const { view, checkers, schedulers, planner } = this.#options;
    this.#wallMs = now.wallMs;
    view.refresh(now.monotonicMs);
    const decided = [
      ...checkers.map((checker) => ({ source: checker.name, decision: checker.check(info, view) })),
      ...schedulers.map((scheduler) => ({ source: scheduler.name, decision: scheduler.explain(info, view) })),
    ];
    planner.discard();
    return decided.map((each) => ({ ...each, isPaused: this.#isPaused(each.source) }));
  }

  sources(wallMs: number): Source[] {
    this.#wallMs = wallMs;
    const { checkers, schedulers } = this.#options;
    const named = [
      ...checkers.map(({ name, isEssential }) => ({ name, isChecker: true, isOptional: !isEssential })),
      ...schedulers.map(({ name }) => ({ name, isChecker: false, isOptional: true })),
    ];
    return named.map((source) => ({
      ...source,
      isPaused: this.#isPaused(source.name),
      pausedUntilMs: this.#isPaused(source.name) ? (this.#paused.get(source.name) ?? 0) : 0,
      lastWord: this.#words.get(source.name) ?? "",
    }));
  }

  /** Until when, by name. */
  get #paused(): ReadonlyMap<string, number> {
    return this.#options.cluster.durable.placement.pausedSchedulers;
  }

  #isPaused(name: string): boolean {
    const untilMs = this.#paused.get(name);
    return untilMs !== undefined && (untilMs === 0 || untilMs > this.#wallMs);
  }
}
