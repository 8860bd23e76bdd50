import { decodeConfChange } from "./conf-change/codec.ts";
import { computeChange } from "./conf-change/compute-change.ts";
import { asV2, type ConfChange } from "./conf-change/conf-change.ts";
import { formatConfChange } from "./conf-change/format.ts";
import { formatTrackerConfig } from "./describe.ts";
import { hex } from "./hex.ts";
import { plus } from "./index-math.ts";
import type { Raft } from "./raft.ts";
import { appendEntries, broadcastAppend, type ProposedEntry } from "./replication.ts";
import type { StepResult } from "./step-result.ts";

/** Leader: appends proposals to the log and sends them out. All of them are taken, or none. */
export function proposeEntries(raft: Raft, proposed: readonly ProposedEntry[]): StepResult {
  if (!raft.tracker.progress.has(raft.id)) {
    // It was removed from the configuration while it led.
    return "proposal-dropped";
  }
  if (raft.leadTransferee !== 0) {
    raft.logger.debug(
      `${raft.name} [term ${raft.term}] transfer leadership to ${hex(raft.leadTransferee)} ` +
        "is in progress; dropping proposal",
    );
    return "proposal-dropped";
  }
  if (!appendEntries(raft, checkConfChanges(raft, proposed))) {
    return "proposal-dropped";
  }
  broadcastAppend(raft);
  return "ok";
}

/** The same proposals, with an empty entry in place of each conf change that may not be made now. */
function checkConfChanges(raft: Raft, proposed: readonly ProposedEntry[]): readonly ProposedEntry[] {
  if (proposed.every((entry) => entry.type === "Normal")) {
    return proposed;
  }
  return proposed.map((entry, position) => {
    const change = decodeConfChange(entry.type, entry.data);
    if (change === undefined) {
      return entry;
    }
    const refusal = refuseConfChange(raft, change);
    if (refusal !== undefined && !raft.config.disableConfChangeValidation) {
      raft.logger.info(
        `${raft.name} ignoring conf change ${formatConfChange(change)} at config ` +
          `${formatTrackerConfig(raft.tracker.config)}: ${refusal}`,
      );
      return EMPTY_ENTRY;
    }
    raft.pendingConfIndex = plus(raft.log.lastIndex(), position + 1);
    return entry;
  });
}

/** Why a conf change may not be made now: one at a time, joint configurations are left first, and it must be possible. */
function refuseConfChange(raft: Raft, change: ConfChange): string | undefined {
  const joint = raft.tracker.isJoint();
  const leavesJoint = asV2(change).changes.length === 0;
  if (raft.pendingConfIndex > raft.log.applied) {
    return `possible unapplied conf change at index ${raft.pendingConfIndex} (applied to ${raft.log.applied})`;
  }
  if (joint && !leavesJoint) {
    return "must transition out of joint config first";
  }
  if (!joint && leavesJoint) {
    return "not in joint state; refusing empty conf change";
  }
  // No other change is on its way, so this is the configuration that it will be applied to, on every peer; and
  // where it cannot be made it must not be committed. etcd lets it through, and ends the process.
  const result = computeChange(raft.tracker, raft.log.lastIndex(), asV2(change));
  return result.ok ? undefined : result.reason;
}

const EMPTY_ENTRY: ProposedEntry = { type: "Normal", data: new Uint8Array(0) };
