import type { Index, PeerId } from "@flaredb/rdb-base";
import type { ConfState } from "./messages.ts";
import type { Progress } from "./progress.ts";
import { JointConfig } from "./quorum/joint.ts";
import type { VoteResult } from "./quorum/majority.ts";

/** The active configuration (etcd-io/raft `tracker.Config`). Never changed in place. */
export interface TrackerConfig {
  readonly voters: JointConfig;
  /** Only while joint: leave as soon as the change is applied. */
  readonly autoLeave: boolean;
  /** Disjoint from both halves of `voters`. */
  readonly learners: ReadonlySet<PeerId>;
  /** Only while joint: voters of the outgoing half that become learners when it is left. */
  readonly learnersNext: ReadonlySet<PeerId>;
}

/** Nobody votes, nobody learns. */
const EMPTY_TRACKER_CONFIG: TrackerConfig = {
  voters: new JointConfig(),
  autoLeave: false,
  learners: new Set(),
  learnersNext: new Set(),
};

/** The window given to each follower's inflights. */
export interface InflightsLimits {
  readonly maxInflightMessages: number;
  /** 0: no limit. */
  readonly maxInflightBytes: number;
}

/** The count of an election. */
export interface VoteTally {
  readonly granted: number;
  readonly rejected: number;
  readonly result: VoteResult;
}

/** The active configuration, what is known of each of its peers, and the votes of the current election. */
export class ProgressTracker {
  readonly limits: InflightsLimits;
  config: TrackerConfig = EMPTY_TRACKER_CONFIG;
  readonly votes = new Map<PeerId, boolean>();
  #progress = new Map<PeerId, Progress>();
  #ids: readonly PeerId[] = [];
  readonly #acked = (id: PeerId): Index | undefined => this.#progress.get(id)?.match;

  constructor(limits: InflightsLimits) {
    this.limits = limits;
  }

  /** One Progress for every voter and learner. Replaced whole when the configuration changes. */
  get progress(): Map<PeerId, Progress> {
    return this.#progress;
  }

  set progress(progress: Map<PeerId, Progress>) {
    this.#progress = progress;
    this.#ids = [...progress.keys()].sort((left, right) => left - right);
  }

  /** The peers with a Progress, ascending: the order in which all of them are visited. */
  get ids(): readonly PeerId[] {
    return this.#ids;
  }

  /** Whether the only voter is enough for every decision. */
  isSingleton(): boolean {
    return this.config.voters.incoming.size === 1 && this.config.voters.outgoing.size === 0;
  }

  isJoint(): boolean {
    return this.config.voters.outgoing.size > 0;
  }

  confState(): ConfState {
    return confStateOf(this.config);
  }

  /** The highest index that the quorum has, as far as known. */
  committed(): Index {
    return this.config.voters.committedIndex(this.#acked) as Index;
  }

  /** Whether a quorum was heard of since the last `recentActive` reset. */
  quorumActive(): boolean {
    const active = new Map<PeerId, boolean>();
    for (const [id, progress] of this.#progress) {
      active.set(id, progress.recentActive);
    }
    return this.config.voters.voteResult(active) === "VoteWon";
  }

  resetVotes(): void {
    this.votes.clear();
  }

  /** The first vote of a peer counts. */
  recordVote(id: PeerId, granted: boolean): void {
    if (!this.votes.has(id)) {
      this.votes.set(id, granted);
    }
  }

  /** Counts the votes of peers that are voters now. */
  tallyVotes(): VoteTally {
    let granted = 0;
    let rejected = 0;
    for (const [id, progress] of this.#progress) {
      const vote = progress.isLearner ? undefined : this.votes.get(id);
      if (vote === true) {
        granted++;
      } else if (vote === false) {
        rejected++;
      }
    }
    return { granted, rejected, result: this.config.voters.voteResult(this.votes) };
  }
}

/** The configuration as it is stored and sent. */
export function confStateOf(config: TrackerConfig): ConfState {
  const { voters, learners, learnersNext, autoLeave } = config;
  return {
    voters: voters.incoming.ids,
    votersOutgoing: voters.outgoing.ids,
    learners: ascending(learners),
    learnersNext: ascending(learnersNext),
    autoLeave,
  };
}

function ascending(ids: ReadonlySet<PeerId>): PeerId[] {
  return [...ids].sort((left, right) => left - right);
}
