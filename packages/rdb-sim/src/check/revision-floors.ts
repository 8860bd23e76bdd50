import { firstPlace } from "./first-place.ts";
import type { Call } from "./history.ts";

/** A revision that somebody knew of from a moment on, and the answer that told. */
export interface Floor {
  readonly revision: number;
  readonly call: Call;
}

/** Which revision of each Region was known to be past at a moment, because an answer had shown it. */
export class RevisionFloors {
  /** By end; each with the greatest revision so far. */
  readonly #byRegion = new Map<number, { readonly endsNs: number[]; readonly floors: Floor[] }>();

  constructor(calls: readonly Call[]) {
    for (const call of calls.toSorted((a, b) => a.endNs - b.endNs)) {
      if (call.outcome === "ok" && call.shown !== undefined) {
        this.#add(call, call.shown.regionId, call.shown.revision);
      }
    }
  }

  get regionIds(): readonly number[] {
    return [...this.#byRegion.keys()];
  }

  /** The greatest revision that an answer showed which had ended before the moment. */
  before(regionId: number, ns: number): Floor | undefined {
    const known = this.#byRegion.get(regionId);
    if (known === undefined) {
      return undefined;
    }
    const { endsNs, floors } = known;
    return floors[firstPlace(endsNs.length, (place) => (endsNs[place] as number) >= ns) - 1];
  }

  /** The greatest revision that any answer showed. */
  highest(regionId: number): number {
    return this.#byRegion.get(regionId)?.floors.at(-1)?.revision ?? 0;
  }

  #add(call: Call, regionId: number, revision: number): void {
    const known = this.#byRegion.get(regionId) ?? { endsNs: [], floors: [] };
    this.#byRegion.set(regionId, known);
    const last = known.floors.at(-1);
    known.endsNs.push(call.endNs);
    known.floors.push(last !== undefined && last.revision >= revision ? last : { revision, call });
  }
}
