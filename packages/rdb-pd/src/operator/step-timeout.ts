import type { OperatorStep } from "../placement/operator-plan.ts";
import { pdLimits } from "../limits.ts";

/** How long the step may take. What waits for a peer's data has time by the Region's size. */
export function stepTimeoutMs(step: OperatorStep, approximateSizeBytes: number): number {
  switch (step.kind) {
    case "promote":
    case "enter-joint":
    case "merge":
      return (
        pdLimits.slowStepTimeoutMs +
        Math.ceil((approximateSizeBytes / pdLimits.catchUpMinBytesPerSecond) * 1_000)
      );
    default:
      return pdLimits.fastStepTimeoutMs;
  }
}

/** How long all steps may take together. */
export function operatorTimeoutMs(steps: readonly OperatorStep[], approximateSizeBytes: number): number {
  const sumMs = steps.reduce((sum, step) => sum + stepTimeoutMs(step, approximateSizeBytes), 0);
  return Math.min(sumMs, pdLimits.operatorMaxMs);
}
