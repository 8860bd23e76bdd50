import { type Call, type Mutation, keyIsBetween } from "./history.ts";
import type { RevisionFloors } from "./revision-floors.ts";

/** A revision that no acknowledged write took. */
export interface Gap {
  readonly regionId: number;
  readonly revision: number;
  /** When a row told what was written there. */
  readonly key?: string;
  readonly value?: string | undefined;
}

/** One mutation of a call with an unknown outcome: what may have taken one revision. */
export interface Unit {
  readonly call: Call;
  /** Undefined: a range was deleted. */
  readonly mutation: Mutation | undefined;
  /** Of a deleted range, which may have been one in each Region. */
  readonly regionId: number | undefined;
}

/** Gaps that are matched with units; more of them and the run is too long, or too broken, to be judged. */
export const GAPS_MAX_COUNT = 20_000;

/** Writes that nobody knows the outcome of: what may stand at revisions that no acknowledged write took. */
export class UnknownWrites {
  readonly #floors: RevisionFloors;
  readonly #units: Unit[] = [];
  readonly #byKey = new Map<string, Unit[]>();
  readonly #ranges: Unit[] = [];

  constructor(calls: readonly Call[], floors: RevisionFloors) {
    this.#floors = floors;
    for (const call of calls) {
      if (call.outcome === "unknown") {
        this.#add(call);
      }
    }
  }

  /** Whether some write may have put this value (undefined: any) at the gap. */
  mayPut(gap: Gap, key: string, value: string | undefined): boolean {
    const units = this.#byKey.get(key) ?? [];
    return units.some((unit) => {
      const written = unit.mutation?.value;
      return written !== undefined && (value ?? written) === written && this.#mayTake(unit, gap);
    });
  }

  /** Whether some write may have deleted the key at the gap. */
  mayDelete(gap: Gap, key: string): boolean {
    const own = (this.#byKey.get(key) ?? []).filter(({ mutation }) => mutation?.value === undefined);
    const ranges = this.#ranges.filter(({ call }) => rangeCovers(call, key));
    return [...own, ...ranges].some((unit) => this.#mayTake(unit, gap));
  }

  /** The first gap that cannot be explained when each unit takes one at most; undefined when all can. */
  firstUnexplained(gaps: readonly Gap[]): Gap | undefined {
    const taken = new Map<Unit, Gap>();
    return gaps.find((gap) => !this.#assign(gap, taken, new Set()));
  }

  /** Kuhn's matching: a unit that is taken is given away if its gap finds another one. */
  #assign(gap: Gap, taken: Map<Unit, Gap>, visited: Set<Unit>): boolean {
    const candidates = gap.key === undefined ? this.#units : (this.#byKey.get(gap.key) ?? []);
    const fitting = candidates.filter(
      (unit) => this.#mayTake(unit, gap) && (gap.key === undefined || unit.mutation?.value === gap.value),
    );
    const free = fitting.find((unit) => !taken.has(unit));
    if (free !== undefined) {
      taken.set(free, gap);
      return true;
    }
    for (const unit of fitting) {
      const other = taken.get(unit);
      if (other !== undefined && !visited.has(unit)) {
        visited.add(unit);
        if (this.#assign(other, taken, visited)) {
          taken.set(unit, gap);
          return true;
        }
      }
    }
    return false;
  }

  /** A write takes a revision above every one that an answer had shown before the write began. */
  #mayTake(unit: Unit, { regionId, revision }: Gap): boolean {
    const isThere = unit.regionId === undefined || unit.regionId === regionId;
    const floor = this.#floors.before(regionId, unit.call.startNs);
    return isThere && revision > (floor?.revision ?? 0);
  }

  #add(call: Call): void {
    switch (call.op) {
      case "put":
      case "delete":
      case "batchPut":
      case "batchDelete":
      case "cas":
      case "conditionalBatch":
        for (const mutation of call.mutations) {
          const unit: Unit = { call, mutation, regionId: undefined };
          this.#units.push(unit);
          this.#byKey.set(mutation.key, [...(this.#byKey.get(mutation.key) ?? []), unit]);
        }
        return;
      case "deleteRange":
        for (const regionId of this.#floors.regionIds) {
          const unit: Unit = { call, mutation: undefined, regionId };
          this.#units.push(unit);
          this.#ranges.push(unit);
        }
        return;
      case "get":
      case "batchGet":
      case "scan":
        return;
    }
  }
}

function rangeCovers(call: Call, key: string): boolean {
  return call.op === "deleteRange" && keyIsBetween(key, call.from, call.to);
}
