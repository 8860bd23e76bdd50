import { assert, type Index } from "@flaredb/rdb-base";
import type { Inflights } from "./inflights.ts";
import { maxIndex, minIndex, plus, ZERO_INDEX } from "./index-math.ts";

/**
 * How a leader sends to a follower. Probe: one message at a time, to find where the logs meet. Replicate:
 * optimistically, as far as the window of inflights allows. Snapshot: nothing, until a snapshot arrived.
 */
export type ProgressState = "StateProbe" | "StateReplicate" | "StateSnapshot";

/** The leader's view of one follower (etcd-io/raft `tracker.Progress`). */
export class Progress {
  state: ProgressState = "StateProbe";
  /** The highest entry known to be on the follower. Invariant: match < next. */
  match: Index;
  /** The next entry to send. In StateReplicate entries of (match, next) are in flight. */
  next: Index;
  /** Only in StateSnapshot: the index of the snapshot under way. */
  pendingSnapshot: Index = ZERO_INDEX;
  /** Whether it was heard of since the last check of the quorum. */
  recentActive: boolean;
  /** Whether MsgApp are held back until an acknowledgement or a heartbeat's response. */
  msgAppFlowPaused = false;
  readonly inflights: Inflights;
  isLearner: boolean;
  /** The highest commit index that was sent; the follower may have lost it. */
  #sentCommit: Index = ZERO_INDEX;

  constructor(fields: {
    readonly match: Index;
    readonly next: Index;
    readonly inflights: Inflights;
    readonly isLearner: boolean;
    readonly recentActive: boolean;
  }) {
    this.match = fields.match;
    this.next = fields.next;
    this.inflights = fields.inflights;
    this.isLearner = fields.isLearner;
    this.recentActive = fields.recentActive;
  }

  /** A copy to change the configuration on. It shares the inflights: only one of both is used afterwards. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.msgAppFlowPaused = this.msgAppFlowPaused;
    copy.#sentCommit = this.#sentCommit;
    return copy;
  }

  /** Back to what a new term knows: nothing, except who it is. */
  reset(match: Index, next: Index): void {
    this.#enter("StateProbe");
    this.match = match;
    this.next = next;
    this.recentActive = false;
    this.#sentCommit = ZERO_INDEX;
  }

  becomeProbe(): void {
    // A snapshot that was sent may have arrived: probe behind it. When it failed, pendingSnapshot is 0.
    const pendingSnapshot = this.state === "StateSnapshot" ? this.pendingSnapshot : ZERO_INDEX;
    this.#enter("StateProbe");
    this.next = maxIndex(plus(this.match, 1), plus(pendingSnapshot, 1));
    this.#sentCommit = minIndex(this.#sentCommit, plus(this.next, -1));
  }

  becomeReplicate(): void {
    this.#enter("StateReplicate");
    this.next = plus(this.match, 1);
  }

  becomeSnapshot(index: Index): void {
    this.#enter("StateSnapshot");
    this.pendingSnapshot = index;
    this.next = plus(index, 1);
    this.#sentCommit = index;
  }

  /** Notes that a MsgApp with `count` entries of `bytes` in all was sent. */
  sentEntries(count: number, bytes: number): void {
    if (this.state === "StateReplicate") {
      if (count > 0) {
        this.next = plus(this.next, count);
        this.inflights.add(plus(this.next, -1), bytes);
      }
      // A message that fills the window, or went out in spite of a full one, is a probe: wait for its answer.
      this.msgAppFlowPaused = this.inflights.full();
      return;
    }
    assert(this.state === "StateProbe", "no entries are sent to a follower that waits for a snapshot");
    if (count > 0) {
      this.msgAppFlowPaused = true;
    }
  }

  /** Whether telling the follower of this commit index may let it commit more. */
  canBumpCommit(commit: Index): boolean {
    return commit > this.#sentCommit && this.#sentCommit < this.next - 1;
  }

  sentCommit(commit: Index): void {
    this.#sentCommit = commit;
  }

  /** Takes an acknowledgement of everything up to `index`. False when it is old news. */
  maybeUpdate(index: Index): boolean {
    if (index <= this.match) {
      return false;
    }
    this.match = index;
    this.next = maxIndex(this.next, plus(index, 1));
    this.msgAppFlowPaused = false;
    return true;
  }

  /**
   * Takes the rejection of a MsgApp whose previous entry was `rejected`; `matchHint` is where the logs may
   * meet. False when the rejection is stale (reordered or repeated).
   */
  maybeDecreaseTo(rejected: Index, matchHint: Index): boolean {
    if (this.state === "StateReplicate") {
      if (rejected <= this.match) {
        return false;
      }
      this.next = plus(this.match, 1);
    } else {
      if (this.next - 1 !== rejected) {
        return false;
      }
      this.next = maxIndex(minIndex(rejected, plus(matchHint, 1)), plus(this.match, 1));
      this.msgAppFlowPaused = false;
    }
    this.#sentCommit = minIndex(this.#sentCommit, plus(this.next, -1));
    return true;
  }

  /** Whether nothing may be sent now. */
  isPaused(): boolean {
    return this.state === "StateSnapshot" || this.msgAppFlowPaused;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.msgAppFlowPaused = false;
    this.pendingSnapshot = ZERO_INDEX;
    this.inflights.reset();
  }
}
