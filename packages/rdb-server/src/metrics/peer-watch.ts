import type { Clock } from "@flaredb/rdb-base";
import type { Entry, Role, SoftState } from "@flaredb/rdb-raft";
import type { WritePath } from "../peer/write-path.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export interface PeerWatchOptions {
  readonly clock: Clock;
  readonly metrics: StoreMetrics;
  readonly writes: Pick<WritePath, "durable" | "committed">;
}

/** Measures what one peer does, a batch at a time: its log on the way to the disk, what it applies, its elections. */
export class PeerWatch {
  readonly #options: PeerWatchOptions;
  #role: Role = "Follower";
  #leader = 0;

  constructor(options: PeerWatchOptions) {
    this.#options = options;
  }

  /** A part of the log goes to the disk. @returns what is to be called when it is durable */
  appending(entries: readonly Entry[]): () => void {
    const { clock, metrics, writes } = this.#options;
    const startedMs = clock.monotonicMs();
    if (entries.length > 0) {
      metrics.appendEntries.observe(entries.length);
    }
    return () => {
      const nowMs = clock.monotonicMs();
      metrics.appendLatency.observeMs(nowMs - startedMs);
      writes.durable(entries, nowMs);
    };
  }

  /** Entries are committed, and `apply` applies them. */
  applying(entries: readonly Entry[], apply: () => void): void {
    const { clock, metrics, writes } = this.#options;
    const startedMs = clock.monotonicMs();
    writes.committed(entries, startedMs);
    apply();
    metrics.applyEntries.observe(entries.length);
    metrics.applyLatency.observeMs(clock.monotonicMs() - startedMs);
  }

  /** What is too short-lived to be told is counted as well: a peer that is alone wins within a turn. */
  softStateChanged({ role, lead }: SoftState): void {
    const { elections, leaderChanges } = this.#options.metrics;
    const before = this.#role;
    if (role === "PreCandidate" && before !== role) {
      elections.pre_vote.value++;
    }
    if (role === "Candidate" || (role === "Leader" && before !== "Leader" && before !== "Candidate")) {
      elections.started.value++;
    }
    if (role === "Leader" && before !== "Leader") {
      elections.won.value++;
    }
    if (lead !== 0 && lead !== this.#leader) {
      leaderChanges.value++;
      this.#leader = lead;
    }
    this.#role = role;
  }
}
