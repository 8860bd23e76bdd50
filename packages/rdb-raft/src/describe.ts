import type { PeerId } from "@flaredb/rdb-base";
import type { ConfState, HardState, Role, Snapshot, SoftState } from "./messages.ts";

/** What of a progress is printed; `Progress` has it. */
export interface DescribedProgress {
  readonly state: string;
  readonly match: number;
  readonly next: number;
  readonly isLearner: boolean;
  readonly pendingSnapshot: number;
  readonly recentActive: boolean;
  readonly inflights: { readonly count: number; full(): boolean };
  isPaused(): boolean;
}

/** What of a tracked configuration is printed; `TrackerConfig` has it. */
export interface DescribedConfig {
  readonly voters: {
    readonly incoming: { readonly ids: readonly PeerId[] };
    readonly outgoing: { readonly ids: readonly PeerId[] };
  };
  readonly learners: ReadonlySet<PeerId>;
  readonly learnersNext: ReadonlySet<PeerId>;
  readonly autoLeave: boolean;
}

/** `voters=(1 2)&&(1 3) learners=(4) learners_next=(3) autoleave`; what is empty, but for the voters, is left out. */
export function formatTrackerConfig(config: DescribedConfig): string {
  const { incoming, outgoing } = config.voters;
  let text = `voters=${formatIds(incoming.ids)}`;
  if (outgoing.ids.length > 0) {
    text += `&&${formatIds(outgoing.ids)}`;
  }
  if (config.learners.size > 0) {
    text += ` learners=${formatIds(config.learners)}`;
  }
  if (config.learnersNext.size > 0) {
    text += ` learners_next=${formatIds(config.learnersNext)}`;
  }
  return config.autoLeave ? `${text} autoleave` : text;
}

/** `StateReplicate match=11 next=12 learner paused pendingSnap=9 inactive inflight=3[full]`; what does not hold is left out. */
export function formatProgress(progress: DescribedProgress): string {
  let text = `${progress.state} match=${progress.match} next=${progress.next}`;
  if (progress.isLearner) {
    text += " learner";
  }
  if (progress.isPaused()) {
    text += " paused";
  }
  if (progress.pendingSnapshot > 0) {
    text += ` pendingSnap=${progress.pendingSnapshot}`;
  }
  if (!progress.recentActive) {
    text += " inactive";
  }
  const { inflights } = progress;
  if (inflights.count > 0) {
    text += ` inflight=${inflights.count}${inflights.full() ? "[full]" : ""}`;
  }
  return text;
}

/** One line for each peer, ids ascending: `2: StateProbe match=0 next=1`. */
export function formatProgressMap(progress: ReadonlyMap<PeerId, DescribedProgress>): string {
  const peers = [...progress].sort(([left], [right]) => left - right);
  return peers.map(([id, each]) => `${id}: ${formatProgress(each)}\n`).join("");
}

/** `StateLeader`, `StateFollower`, `StateCandidate`, `StatePreCandidate`. */
export function formatRole(role: Role): string {
  return `State${role}`;
}

/** `Lead:1 State:StateFollower`. */
export function formatSoftState(state: SoftState): string {
  return `Lead:${state.lead} State:${formatRole(state.role)}`;
}

/** `Term:1 Vote:2 Commit:3`; without the vote where there is none. */
export function formatHardState(state: HardState): string {
  const vote = state.vote === 0 ? "" : ` Vote:${state.vote}`;
  return `Term:${state.term}${vote} Commit:${state.commit}`;
}

/** `Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false`. */
export function formatConfState(state: ConfState): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = state;
  return (
    `Voters:[${voters.join(" ")}] VotersOutgoing:[${votersOutgoing.join(" ")}] ` +
    `Learners:[${learners.join(" ")}] LearnersNext:[${learnersNext.join(" ")}] AutoLeave:${autoLeave}`
  );
}

/** `Index:11 Term:1 ConfState:...`. */
export function formatSnapshot(snapshot: Snapshot): string {
  const { index, term, confState } = snapshot.metadata;
  return `Index:${index} Term:${term} ConfState:${formatConfState(confState)}`;
}

function formatIds(ids: Iterable<PeerId>): string {
  return `(${[...ids].sort((left, right) => left - right).join(" ")})`;
}
