import type { Index } from "@flaredb/rdb-base";
import type { ConfChangeV2 } from "../messages.ts";
import type { ProgressTracker } from "../progress-tracker.ts";
import { type ChangeResult, Changer } from "./changer.ts";
import { enterJoint, leaveJoint } from "./conf-change.ts";

/** What a conf change makes of the configuration in force; nothing changes yet. */
export function computeChange(
  tracker: ProgressTracker,
  lastIndex: Index,
  change: ConfChangeV2,
): ChangeResult {
  const changer = new Changer({ tracker, lastIndex });
  if (leaveJoint(change)) {
    return changer.leaveJoint();
  }
  const joint = enterJoint(change);
  return joint === undefined
    ? changer.simple(change.changes)
    : changer.enterJoint(joint.autoLeave, change.changes);
}
