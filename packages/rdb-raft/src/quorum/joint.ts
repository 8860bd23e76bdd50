import type { Index, PeerId } from "@flaredb/rdb-base";
import { MajorityConfig, type VoteResult } from "./majority.ts";

/**
 * One or two majorities that must agree (Raft thesis §4.3). While the configuration is not joint, `outgoing`
 * is empty and `incoming` alone decides.
 */
export class JointConfig {
  readonly incoming: MajorityConfig;
  readonly outgoing: MajorityConfig;

  constructor(
    incoming: MajorityConfig = new MajorityConfig([]),
    outgoing: MajorityConfig = new MajorityConfig([]),
  ) {
    this.incoming = incoming;
    this.outgoing = outgoing;
  }

  /** Whether `id` votes in either half. */
  has(id: PeerId): boolean {
    return this.incoming.has(id) || this.outgoing.has(id);
  }

  /** The voters of both halves, ascending, each once. */
  ids(): PeerId[] {
    return [...new Set([...this.incoming.ids, ...this.outgoing.ids])].sort((left, right) => left - right);
  }

  /** The highest index that a majority of each half has acknowledged. */
  committedIndex(acked: (id: PeerId) => Index | undefined): number {
    return Math.min(this.incoming.committedIndex(acked), this.outgoing.committedIndex(acked));
  }

  /** Won when both halves won, lost when either lost. */
  voteResult(votes: ReadonlyMap<PeerId, boolean>): VoteResult {
    const incoming = this.incoming.voteResult(votes);
    const outgoing = this.outgoing.voteResult(votes);
    if (incoming === outgoing) {
      return incoming;
    }
    return incoming === "VoteLost" || outgoing === "VoteLost" ? "VoteLost" : "VotePending";
  }
}
