import { assert, type Index, type PeerId } from "@flaredb/rdb-base";
import { computeChange } from "./conf-change/compute-change.ts";
import { formatTrackerConfig } from "./describe.ts";
import { maxIndex } from "./index-math.ts";
import type { ConfChangeV2, ConfState } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { confStateOf, type TrackerConfig } from "./progress-tracker.ts";
import { proposeEntries } from "./proposal.ts";
import type { Raft } from "./raft.ts";
import { releasePostponedReads } from "./read-index.ts";
import { broadcastAppend, maybeSendAppend } from "./replication.ts";

/** The configuration that a change would lead to, or why it cannot be made. */
export type SimulatedConfChange =
  | { readonly ok: true; readonly confState: ConfState }
  | { readonly ok: false; readonly reason: string };

/** Puts a committed conf change in force. Its leader has seen to it that it can be made. */
export function applyConfChange(raft: Raft, change: ConfChangeV2): void {
  const result = computeChange(raft.tracker, raft.log.lastIndex(), change);
  assert(result.ok, `the committed conf change can be made${result.ok ? "" : `: ${result.reason}`}`);
  switchToConfig(raft, result.config, result.progress);
}

/**
 * What a conf change would lead to, were it applied to the configuration in force: for checks before it is
 * proposed. Nothing changes.
 */
export function simulateConfChange(raft: Raft, change: ConfChangeV2): SimulatedConfChange {
  const result = computeChange(raft.tracker, raft.log.lastIndex(), change);
  return result.ok ? { ok: true, confState: confStateOf(result.config) } : result;
}

/** Puts a configuration in force, and does what a leader has to do about it. */
export function switchToConfig(raft: Raft, config: TrackerConfig, progress: Map<PeerId, Progress>): void {
  const { tracker } = raft;
  tracker.config = config;
  tracker.progress = progress;
  raft.logger.info(`${raft.name} switched to configuration ${formatTrackerConfig(config)}`);
  if (raft.role !== "Leader") {
    return;
  }
  const own = progress.get(raft.id);
  if (own === undefined || own.isLearner) {
    // Without stepDownOnRemoval it leads on, so that the change itself gets through; it takes no proposals.
    if (raft.config.stepDownOnRemoval) {
      raft.becomeFollower(raft.term, 0);
    }
    return;
  }
  if (config.voters.incoming.size === 0) {
    return;
  }
  if (raft.maybeCommit()) {
    // The new quorum has more than the old one: the others learn of it at once.
    releasePostponedReads(raft);
    broadcastAppend(raft);
  } else {
    // New peers are probed now, rather than at the next heartbeat.
    for (const id of tracker.ids) {
      if (id !== raft.id) {
        maybeSendAppend(raft, id, false);
      }
    }
  }
  if (raft.leadTransferee !== 0 && !config.voters.has(raft.leadTransferee)) {
    raft.abortLeaderTransfer();
  }
}

/** Notes what the state machine has applied; a leader leaves a joint configuration that is to be left by itself. */
export function appliedTo(raft: Raft, index: Index, bytes: number): void {
  const applied = maxIndex(index, raft.log.applied);
  raft.log.appliedTo(applied, bytes);
  const { config } = raft.tracker;
  if (!config.autoLeave || applied < raft.pendingConfIndex || raft.role !== "Leader") {
    return;
  }
  // Empty data passes every limit of bytes, so only a leadership transfer can drop this; then the next leader does it.
  const result = proposeEntries(raft, [LEAVE_JOINT]);
  if (result === "ok") {
    raft.logger.info(
      `initiating automatic transition out of joint configuration ${formatTrackerConfig(config)}`,
    );
  } else {
    raft.logger.debug(
      "not initiating automatic transition out of joint configuration " +
        `${formatTrackerConfig(config)}: ${result}`,
    );
  }
}

const LEAVE_JOINT = { type: "ConfChangeV2", data: new Uint8Array(0) } as const;
