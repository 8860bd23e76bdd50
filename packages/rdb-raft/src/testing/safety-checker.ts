import { assert } from "@flaredb/rdb-base";
import type { Entry, Message } from "../messages.ts";

/** A peer's log as far as it is kept: the entries behind `baseIndex`, whose own term is `baseTerm`. */
export interface LogView {
  readonly baseIndex: number;
  readonly baseTerm: number;
  readonly entries: readonly Entry[];
}

/**
 * What Raft promises (Raft paper, Figure 3), checked over everything that any peer of a group ever did. It sees the
 * group from outside and throws at the first promise that is broken.
 */
export class SafetyChecker {
  readonly #leaders = new Map<number, number>();
  readonly #votes = new Map<string, number>();
  readonly #entries = new Map<string, { readonly data: string; readonly previousTerm: number }>();
  readonly #committed = new Map<number, { readonly term: number; readonly seenInTerm: number }>();
  readonly #applied = new Map<number, string>();
  #highestCommit = 0;

  /** The highest index that any peer ever held for committed. */
  get highestCommit(): number {
    return this.#highestCommit;
  }

  /** How many terms had a leader. */
  get leaderCount(): number {
    return this.#leaders.size;
  }

  /** Election safety: at most one leader a term. */
  sawLeader(id: number, term: number): void {
    const known = this.#leaders.get(term);
    assert(known === undefined || known === id, `term ${term} has one leader, not both ${known} and ${id}`);
    this.#leaders.set(term, id);
  }

  /** Leader completeness: a leader's log has every entry that was committed in an earlier term. */
  sawLeaderLog(id: number, term: number, log: LogView): void {
    for (const [index, { term: entryTerm, seenInTerm }] of this.#committed) {
      if (seenInTerm < term && index > log.baseIndex) {
        const own = log.entries[index - log.baseIndex - 1]?.term;
        assert(
          own === entryTerm,
          `leader ${id} of term ${term} has committed entry ${entryTerm}/${index}, not ${own}`,
        );
      }
    }
  }

  /** One vote a term, through any number of restarts. */
  sawMessage({ type, from, to, term, reject }: Message): void {
    if (type === "MsgVoteResp" && !reject) {
      const ballot = `${from} in term ${term}`;
      const known = this.#votes.get(ballot);
      assert(known === undefined || known === to, `${ballot} votes once, not for both ${known} and ${to}`);
      this.#votes.set(ballot, to);
    }
  }

  /**
   * Log matching: an index and a term name one entry, with one entry before it; from that the property follows for
   * all before by induction.
   */
  sawEntries({ baseIndex, baseTerm, entries }: LogView): void {
    let previousTerm = baseTerm;
    let previousIndex = baseIndex;
    for (const { index, term, data } of entries) {
      assert(index === previousIndex + 1, `entry ${index} follows ${previousIndex} without a gap`);
      assert(
        term >= previousTerm,
        `the term of entry ${index} does not fall from ${previousTerm} to ${term}`,
      );
      const name = `${term}/${index}`;
      const seen = { data: data.join(), previousTerm };
      const known = this.#entries.get(name) ?? seen;
      const matches = known.data === seen.data && known.previousTerm === seen.previousTerm;
      assert(matches, `all logs agree on entry ${name} and the one before it`);
      this.#entries.set(name, seen);
      previousTerm = term;
      previousIndex = index;
    }
  }

  sawCommitIndex(index: number): void {
    this.#highestCommit = Math.max(this.#highestCommit, index);
  }

  /** An entry was handed out as committed, to a peer whose term is `seenInTerm`. */
  sawCommitted({ index, term }: Entry, seenInTerm: number): void {
    const known = this.#committed.get(index);
    assert(
      known === undefined || known.term === term,
      `one entry is committed at ${index}, not ${known?.term} and ${term}`,
    );
    if (known === undefined || seenInTerm < known.seenInTerm) {
      this.#committed.set(index, { term, seenInTerm });
    }
  }

  /** State machine safety: after an index all state machines are the same. */
  sawState(index: number, state: string): void {
    const known = this.#applied.get(index) ?? state;
    assert(known === state, `the state machines that have applied ${index} are the same`);
    this.#applied.set(index, state);
  }

  /** A linearizable read sees everything that was committed anywhere when it was asked for. */
  sawRead(index: number, committedAtRequest: number): void {
    assert(
      index >= committedAtRequest,
      `read index ${index} reaches commit ${committedAtRequest} of when it began`,
    );
  }
}
