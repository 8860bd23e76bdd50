import { type Region, peerById } from "@flaredb/rdb-base";
import type { OperatorStep } from "../placement/operator-plan.ts";

/**
 * How many changes of the Region's peers are due to these steps, as it stands now. When its conf_ver rose by more since
 * the plan was made, somebody else changed it, and the plan's ground is gone.
 */
export function confVerSpent(steps: readonly OperatorStep[], region: Region): number {
  return steps.reduce((sum, step) => sum + spentBy(step, region), 0);
}

function spentBy(step: OperatorStep, region: Region): number {
  switch (step.kind) {
    case "add-learner":
      return peerById(region, step.peerId) === undefined ? 0 : 1;
    case "promote":
      return peerById(region, step.peerId)?.role === "Voter" ? 1 : 0;
    case "remove-peer":
      return peerById(region, step.peerId) === undefined ? 1 : 0;
    // Entering and leaving raise it by one, or by the number of peers that changed: both are taken for ours.
    case "enter-joint":
    case "leave-joint":
      return Math.max(1, step.promote.length + step.demote.length);
    // PrepareMerge closes the source for other changes by raising both numbers.
    case "merge":
      return 1;
    default:
      return 0;
  }
}
