import type { Decision, RuledOut } from "./decision.ts";
import type { OperatorPlan } from "./operator-plan.ts";

/** Nothing is to be done, or can be: why, for people. */
export function standsStill(summary: string, ruledOut: readonly RuledOut[] = []): Decision {
  return { acts: false, summary, ruledOut };
}

export function actsOn(plan: OperatorPlan, ruledOut: readonly RuledOut[] = []): Decision {
  return { acts: true, plan, ruledOut };
}
