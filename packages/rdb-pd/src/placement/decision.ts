import type { StoreId } from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import type { OperatorPlan } from "./operator-plan.ts";
import type { PlacementView } from "./placement-view.ts";

/** A Store that a filter ruled out. */
export interface RuledOut {
  readonly storeId: StoreId;
  /** A stable word, as `down`, `same-host`, `limit`, `has-peer`. */
  readonly filter: string;
  /** For people, with values. */
  readonly reason: string;
}

/** What a checker or scheduler makes of a Region: something to do, or why nothing. */
export type Decision =
  | { readonly acts: true; readonly plan: OperatorPlan; readonly ruledOut: readonly RuledOut[] }
  | { readonly acts: false; readonly summary: string; readonly ruledOut: readonly RuledOut[] };

/**
 * Looks at one Region after the other and says what is wrong with it. The same call explains and decides
 * (DESIGN §8): `rdb operator explain` runs exactly what the patrol runs.
 */
export interface Checker {
  readonly name: string;
  /** Without it the cluster is not safe: it cannot be paused. */
  readonly isEssential: boolean;
  /** It is asked about a Region that has an operator as well, and may put a repair in its place. */
  readonly repairs?: boolean;
  check(info: RegionInfo, view: PlacementView): Decision;
}

/** Looks at the whole cluster now and then and betters its balance. */
export interface Scheduler {
  readonly name: string;
  /** What to do now: at most `limit` plans, for Regions without an operator; and what it says of itself. */
  schedule(
    view: PlacementView,
    limit: number,
  ): { readonly plans: readonly OperatorPlan[]; readonly word: string };
  /** What it would do with this Region, and what speaks against it. */
  explain(info: RegionInfo, view: PlacementView): Decision;
}
