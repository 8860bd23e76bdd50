import type { Fault } from "../faults/fault.ts";
import type { Plan } from "../faults/plan.ts";

export interface MinimiseOptions {
  /** The name of the violation that a run of the plan ends with; undefined when nothing is violated. */
  readonly violationOf: (plan: Plan) => Promise<string | undefined>;
  /** Runs that may be made. Default 500. */
  readonly runMaxCount?: number;
  /** Called after each run. */
  readonly onRun?: (progress: MinimiseProgress) => void;
}

interface MinimiseProgress {
  readonly runCount: number;
  /** Faults of the smallest plan so far. */
  readonly faultCount: number;
}

export interface Minimised {
  readonly plan: Plan;
  readonly runCount: number;
}

const DEFAULT_RUN_MAX_COUNT = 500;
/** A fault is not cut shorter than this. */
const DURATION_MIN_MS = 10;
/** Repairs come at least this long after the last fault, when the end of the run is drawn in. */
const CALM_END_MS = 1_000;

/**
 * Shrinks a plan while its run still ends with the same violation: leaves out faults, in halves first and one by one
 * at last (delta debugging), then shortens each that is left, and ends the run early.
 *
 * @throws Error when the plan violates nothing as it is
 */
export async function minimise(plan: Plan, options: MinimiseOptions): Promise<Minimised> {
  const shrinking = new Shrinking(plan, options);
  await shrinking.begin();
  await shrinking.dropFaults();
  await shrinking.endEarly();
  await shrinking.shortenFaults();
  return { plan: shrinking.plan, runCount: shrinking.runCount };
}

class Shrinking {
  readonly #options: MinimiseOptions;
  #violation: string | undefined;
  plan: Plan;
  runCount = 0;

  constructor(plan: Plan, options: MinimiseOptions) {
    this.plan = plan;
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#violation = await this.#run(this.plan);
    if (this.#violation === undefined) {
      throw new Error(`seed ${this.plan.seed} violates nothing: there is nothing to minimise`);
    }
  }

  async dropFaults(): Promise<void> {
    let pieceCount = 2;
    while (this.plan.faults.length > 0) {
      const { faults } = this.plan;
      const size = Math.ceil(faults.length / pieceCount);
      const shrunk = await this.#firstThatFails(
        Array.from({ length: Math.ceil(faults.length / size) }, (_, piece) => [
          ...faults.slice(0, piece * size),
          ...faults.slice((piece + 1) * size),
        ]),
      );
      if (shrunk) {
        pieceCount = Math.max(2, pieceCount - 1);
      } else if (size === 1) {
        return;
      } else {
        pieceCount = Math.min(faults.length, pieceCount * 2);
      }
    }
  }

  /** What comes after the last fault is only waiting. */
  async endEarly(): Promise<void> {
    const lastEndMs = Math.max(0, ...this.plan.faults.map((fault) => fault.atMs + fault.durationMs));
    await this.#try({
      ...this.plan,
      faultsEndMs: Math.min(this.plan.faultsEndMs, lastEndMs + CALM_END_MS),
    });
  }

  async shortenFaults(): Promise<void> {
    for (let place = 0; place < this.plan.faults.length; place++) {
      for (;;) {
        const fault = this.plan.faults[place] as Fault;
        const durationMs = Math.floor(fault.durationMs / 2);
        const faults = this.plan.faults.with(place, { ...fault, durationMs });
        if (durationMs < DURATION_MIN_MS || !(await this.#try({ ...this.plan, faults }))) {
          break;
        }
      }
    }
  }

  async #firstThatFails(candidates: readonly (readonly Fault[])[]): Promise<boolean> {
    for (const faults of candidates) {
      if (await this.#try({ ...this.plan, faults })) {
        return true;
      }
    }
    return false;
  }

  /** Takes the candidate if it ends with the same violation. */
  async #try(candidate: Plan): Promise<boolean> {
    if (this.runCount >= (this.#options.runMaxCount ?? DEFAULT_RUN_MAX_COUNT)) {
      return false;
    }
    if ((await this.#run(candidate)) !== this.#violation) {
      return false;
    }
    this.plan = candidate;
    return true;
  }

  async #run(plan: Plan): Promise<string | undefined> {
    const violation = await this.#options.violationOf(plan);
    this.runCount++;
    this.#options.onRun?.({ runCount: this.runCount, faultCount: this.plan.faults.length });
    return violation;
  }
}
