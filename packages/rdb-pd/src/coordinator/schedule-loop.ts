import type { Moment } from "../cluster/cluster-state.ts";
import { pdLimits } from "../limits.ts";
import type { Scheduler } from "../placement/decision.ts";
import type { PlacementView } from "../placement/placement-view.ts";
import type { Planner } from "./planner.ts";

/** What came of asking a checker or scheduler: something was planned, was refused or found no room, or there was nothing to do. */
export type DecisionOutcome = "planned" | "refused" | "no-room" | "idle";

export interface ScheduleLoopOptions {
  readonly view: PlacementView;
  readonly schedulers: readonly Scheduler[];
  readonly isPaused: (name: string) => boolean;
  readonly planner: Planner;
  readonly said: (name: string, word: string) => void;
  readonly decided: (name: string, outcome: DecisionOutcome) => void;
}

/** By how much the pause grows of a scheduler that finds nothing to do. */
const PAUSE_GROWTH = 1.5;
/** Most plans of one call. */
const PLANS_MAX_COUNT = 64;

interface Turn {
  dueMonotonicMs: number;
  pauseMs: number;
}

/** Asks each scheduler at its own pace: often while it finds something to do, seldom while it does not. */
export class ScheduleLoop {
  readonly #options: ScheduleLoopOptions;
  readonly #turns = new Map<string, Turn>();

  constructor(options: ScheduleLoopOptions) {
    this.#options = options;
  }

  tick(now: Moment): void {
    for (const scheduler of this.#options.schedulers) {
      const turn = this.#turnOf(scheduler.name);
      if (turn.dueMonotonicMs > now.monotonicMs || this.#options.isPaused(scheduler.name)) {
        continue;
      }
      const hasPlanned = this.#ask(scheduler, now);
      turn.pauseMs = hasPlanned
        ? pdLimits.schedulerMinIntervalMs
        : Math.min(turn.pauseMs * PAUSE_GROWTH, pdLimits.schedulerMaxIntervalMs);
      turn.dueMonotonicMs = now.monotonicMs + turn.pauseMs;
    }
  }

  /** Whether it is to be asked again soon. */
  #ask(scheduler: Scheduler, now: Moment): boolean {
    const { view, planner, said, decided } = this.#options;
    const room = Math.min(planner.roomFor(scheduler.name), PLANS_MAX_COUNT);
    if (room === 0) {
      said(scheduler.name, planner.noRoomWord(scheduler.name));
      decided(scheduler.name, "no-room");
      return true;
    }
    const { plans, word } = scheduler.schedule(view, room);
    const { takenCount, refusal } = planner.take(plans, now);
    said(scheduler.name, takenCount === 0 && refusal !== undefined ? refusal : word);
    decided(scheduler.name, outcomeOf(takenCount, refusal));
    return takenCount > 0;
  }

  #turnOf(name: string): Turn {
    let turn = this.#turns.get(name);
    if (turn === undefined) {
      turn = { dueMonotonicMs: 0, pauseMs: pdLimits.schedulerMinIntervalMs };
      this.#turns.set(name, turn);
    }
    return turn;
  }
}

/** @param refusal of a plan, if one was refused */
export function outcomeOf(takenCount: number, refusal: string | undefined): DecisionOutcome {
  if (takenCount > 0) {
    return "planned";
  }
  return refusal === undefined ? "idle" : "refused";
}
