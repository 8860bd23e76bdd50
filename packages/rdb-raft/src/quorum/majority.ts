import type { Index, PeerId } from "@flaredb/rdb-base";

/** What a set of votes amounts to: a decision, or not enough votes yet. */
export type VoteResult = "VotePending" | "VoteLost" | "VoteWon";

/**
 * A set of voters that decides by majority.
 *
 * The empty set decides nothing by itself: it commits everything and wins every vote, so that a joint
 * configuration whose one half is empty behaves as its other half.
 */
export class MajorityConfig {
  /** Ascending, without duplicates. */
  readonly ids: readonly PeerId[];
  readonly #members: ReadonlySet<PeerId>;
  /** Where `committedIndex` sorts; kept, so that the leader's hot path allocates nothing. */
  readonly #scratch: number[];

  constructor(ids: Iterable<PeerId>) {
    this.#members = new Set(ids);
    this.ids = [...this.#members].sort((left, right) => left - right);
    this.#scratch = this.ids.map(() => 0);
  }

  get size(): number {
    return this.ids.length;
  }

  has(id: PeerId): boolean {
    return this.#members.has(id);
  }

  /**
   * The highest index that a majority has acknowledged; a voter without an answer counts as 0.
   * Number.MAX_SAFE_INTEGER for the empty set.
   */
  committedIndex(acked: (id: PeerId) => Index | undefined): number {
    const count = this.ids.length;
    if (count === 0) {
      return Number.MAX_SAFE_INTEGER;
    }
    // Insertion sort, ascending: quorums are small. The voters from this position on are a majority.
    const sorted = this.#scratch;
    let filled = 0;
    for (const id of this.ids) {
      const index = acked(id) ?? 0;
      let position = filled++;
      for (; position > 0; position--) {
        const below = sorted[position - 1] ?? 0;
        if (below <= index) {
          break;
        }
        sorted[position] = below;
      }
      sorted[position] = index;
    }
    return sorted[count - (Math.floor(count / 2) + 1)] ?? 0;
  }

  /** Won when a majority said yes, lost when that has become impossible. Voters absent from `votes` may still vote. */
  voteResult(votes: ReadonlyMap<PeerId, boolean>): VoteResult {
    if (this.ids.length === 0) {
      return "VoteWon";
    }
    let granted = 0;
    let missing = 0;
    for (const id of this.ids) {
      const vote = votes.get(id);
      if (vote === undefined) {
        missing++;
      } else if (vote) {
        granted++;
      }
    }
    const quorum = Math.floor(this.ids.length / 2) + 1;
    if (granted >= quorum) {
      return "VoteWon";
    }
    return granted + missing >= quorum ? "VotePending" : "VoteLost";
  }
}
