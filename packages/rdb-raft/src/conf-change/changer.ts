import { assertNever, type Index, type PeerId } from "@flaredb/rdb-base";
import { maxIndex, ZERO_INDEX } from "../index-math.ts";
import { Inflights } from "../inflights.ts";
import type { ConfChangeSingle } from "../messages.ts";
import { Progress } from "../progress.ts";
import type { InflightsLimits, ProgressTracker, TrackerConfig } from "../progress-tracker.ts";
import { JointConfig } from "../quorum/joint.ts";
import { MajorityConfig } from "../quorum/majority.ts";
import { findBrokenInvariant } from "./invariants.ts";

/** The configuration after a change, not yet in force; or why it cannot be made. */
export type ChangeResult =
  | { readonly ok: true; readonly config: TrackerConfig; readonly progress: Map<PeerId, Progress> }
  | { readonly ok: false; readonly reason: string };

/**
 * Computes changes of a configuration (Raft thesis §4.3). The tracker is only read: who takes the result
 * puts it in force.
 */
export class Changer {
  readonly #tracker: ProgressTracker;
  /** The log's last index: where a new peer is probed first. */
  readonly #lastIndex: Index;

  constructor(fields: { readonly tracker: ProgressTracker; readonly lastIndex: Index }) {
    this.#tracker = fields.tracker;
    this.#lastIndex = fields.lastIndex;
  }

  /** Enters the joint configuration of today's voters (outgoing) and those after `changes` (incoming). */
  enterJoint(autoLeave: boolean, changes: readonly ConfChangeSingle[]): ChangeResult {
    const draft = this.#draft();
    if (typeof draft === "string") {
      return refused(draft);
    }
    if (this.#tracker.isJoint()) {
      return refused("config is already joint");
    }
    if (draft.incoming.size === 0) {
      // Adding the first peers is a simple change: there is no quorum that would have to agree.
      return refused("can't make a zero-voter config joint");
    }
    draft.outgoing = new Set(draft.incoming);
    draft.autoLeave = autoLeave;
    return apply(draft, changes) ?? finish(draft);
  }

  /** Leaves the joint configuration: the incoming half stays, and learnersNext become learners. */
  leaveJoint(): ChangeResult {
    const draft = this.#draft();
    if (typeof draft === "string") {
      return refused(draft);
    }
    if (!this.#tracker.isJoint()) {
      return refused("can't leave a non-joint config");
    }
    for (const id of draft.learnersNext) {
      draft.learners.add(id);
      const progress = draft.progress.get(id);
      if (progress !== undefined) {
        progress.isLearner = true;
      }
    }
    draft.learnersNext.clear();
    for (const id of draft.outgoing) {
      if (!draft.incoming.has(id) && !draft.learners.has(id)) {
        draft.progress.delete(id);
      }
    }
    draft.outgoing.clear();
    draft.autoLeave = false;
    return finish(draft);
  }

  /** Changes at most one voter, and any number of learners, at once. */
  simple(changes: readonly ConfChangeSingle[]): ChangeResult {
    const draft = this.#draft();
    if (typeof draft === "string") {
      return refused(draft);
    }
    if (this.#tracker.isJoint()) {
      return refused("can't apply simple config change in joint config");
    }
    const failed = apply(draft, changes);
    if (failed !== undefined) {
      return failed;
    }
    if (countDifferences(this.#tracker.config.voters.incoming.ids, draft.incoming) > 1) {
      return refused("more than one voter changed without entering joint config");
    }
    return finish(draft);
  }

  /** A copy of the configuration to work on, or the invariant that it breaks already. */
  #draft(): Draft | string {
    const { config, progress, limits } = this.#tracker;
    const copies = new Map<PeerId, Progress>();
    for (const [id, original] of progress) {
      copies.set(id, original.clone());
    }
    return (
      findBrokenInvariant(config, copies) ?? {
        incoming: new Set(config.voters.incoming.ids),
        outgoing: new Set(config.voters.outgoing.ids),
        learners: new Set(config.learners),
        learnersNext: new Set(config.learnersNext),
        autoLeave: config.autoLeave,
        progress: copies,
        limits,
        lastIndex: this.#lastIndex,
      }
    );
  }
}

/** A configuration under construction. */
interface Draft {
  readonly incoming: Set<PeerId>;
  outgoing: Set<PeerId>;
  readonly learners: Set<PeerId>;
  readonly learnersNext: Set<PeerId>;
  autoLeave: boolean;
  readonly progress: Map<PeerId, Progress>;
  readonly limits: InflightsLimits;
  readonly lastIndex: Index;
}

function refused(reason: string): ChangeResult {
  return { ok: false, reason };
}

/** Makes every change on the draft; a result only when they cannot be made. */
function apply(draft: Draft, changes: readonly ConfChangeSingle[]): ChangeResult | undefined {
  for (const { type, nodeId } of changes) {
    // Id 0 stands for nobody: a way to turn a change that was proposed already into none.
    if (Number(nodeId) === 0) {
      continue;
    }
    switch (type) {
      case "AddNode":
        makeVoter(draft, nodeId);
        break;
      case "AddLearnerNode":
        makeLearner(draft, nodeId);
        break;
      case "RemoveNode":
        remove(draft, nodeId);
        break;
      case "UpdateNode":
        break;
      default:
        assertNever(type, "type of conf change");
    }
  }
  return draft.incoming.size === 0 ? refused("removed all voters") : undefined;
}

function makeVoter(draft: Draft, id: PeerId): void {
  const progress = draft.progress.get(id);
  if (progress === undefined) {
    addProgress(draft, id, false);
  } else {
    progress.isLearner = false;
    draft.learners.delete(id);
    draft.learnersNext.delete(id);
  }
  draft.incoming.add(id);
}

function makeLearner(draft: Draft, id: PeerId): void {
  const progress = draft.progress.get(id);
  if (progress === undefined) {
    addProgress(draft, id, true);
    draft.learners.add(id);
    return;
  }
  if (progress.isLearner) {
    return;
  }
  remove(draft, id);
  draft.progress.set(id, progress);
  if (draft.outgoing.has(id)) {
    // It still votes in the outgoing half, and must not be voter and learner at once.
    draft.learnersNext.add(id);
  } else {
    progress.isLearner = true;
    draft.learners.add(id);
  }
}

function remove(draft: Draft, id: PeerId): void {
  if (!draft.progress.has(id)) {
    return;
  }
  draft.incoming.delete(id);
  draft.learners.delete(id);
  draft.learnersNext.delete(id);
  if (!draft.outgoing.has(id)) {
    draft.progress.delete(id);
  }
}

function addProgress(draft: Draft, id: PeerId, isLearner: boolean): void {
  const { maxInflightMessages, maxInflightBytes } = draft.limits;
  const progress = new Progress({
    match: ZERO_INDEX,
    // The log's end is most likely out of its reach, but the leader learns at once whether a snapshot is due.
    next: maxIndex(draft.lastIndex, 1 as Index),
    inflights: new Inflights(maxInflightMessages, maxInflightBytes),
    isLearner,
    // Counts as heard of, or CheckQuorum could bring down the leader before it had a chance to answer.
    recentActive: true,
  });
  draft.progress.set(id, progress);
}

function finish(draft: Draft): ChangeResult {
  const config: TrackerConfig = {
    voters: new JointConfig(new MajorityConfig(draft.incoming), new MajorityConfig(draft.outgoing)),
    autoLeave: draft.autoLeave,
    learners: draft.learners,
    learnersNext: draft.learnersNext,
  };
  const broken = findBrokenInvariant(config, draft.progress);
  return broken === undefined ? { ok: true, config, progress: draft.progress } : refused(broken);
}

/** How many ids are in one of both sets only. */
function countDifferences(before: readonly PeerId[], after: ReadonlySet<PeerId>): number {
  const kept = before.filter((id) => after.has(id)).length;
  return before.length - kept + (after.size - kept);
}
