import type { Index, PeerId } from "@flaredb/rdb-base";
import type { ConfChangeSingle, ConfChangeType, ConfState } from "../messages.ts";
import { type InflightsLimits, ProgressTracker } from "../progress-tracker.ts";
import { type ChangeResult, Changer } from "./changer.ts";

/**
 * The configuration that a ConfState describes, reached from none by the same changes that would have led to
 * it, so that what is restored passes the same checks.
 */
export function restoreConfig(
  confState: ConfState,
  fields: { readonly limits: InflightsLimits; readonly lastIndex: Index },
): ChangeResult {
  const tracker = new ProgressTracker(fields.limits);
  const incoming = [
    ...changesOf("AddNode", confState.voters),
    ...changesOf("AddLearnerNode", confState.learners),
    ...changesOf("AddLearnerNode", confState.learnersNext),
  ];
  const joint = confState.votersOutgoing.length > 0;

  // Peers come one by one: a simple change adds one voter at most.
  for (const change of joint ? changesOf("AddNode", confState.votersOutgoing) : incoming) {
    const result = new Changer({ tracker, lastIndex: fields.lastIndex }).simple([change]);
    if (!result.ok) {
      return result;
    }
    tracker.config = result.config;
    tracker.progress = result.progress;
  }
  if (!joint) {
    return { ok: true, config: tracker.config, progress: tracker.progress };
  }
  return new Changer({ tracker, lastIndex: fields.lastIndex }).enterJoint(confState.autoLeave, [
    ...changesOf("RemoveNode", confState.votersOutgoing),
    ...incoming,
  ]);
}

function changesOf(type: ConfChangeType, ids: readonly PeerId[]): ConfChangeSingle[] {
  return ids.map((nodeId) => ({ type, nodeId }));
}
