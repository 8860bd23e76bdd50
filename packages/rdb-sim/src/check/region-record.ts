import {
  type Index,
  type PeerId,
  type Region,
  type RegionId,
  type Term,
  formatRange,
} from "@flaredb/rdb-base";
import type { ConfState } from "@flaredb/rdb-raft";
import type { ApplyState } from "@flaredb/rdb-storage";
import { ConfigHistory, newVoters, stepProblem } from "./config-history.ts";

/** Tells of what is broken. */
export type Report = (name: string, message: string) => void;

/** An entry of a log as far as it counts here. */
export interface LogEntry {
  readonly term: Term;
  /** Of type and data. */
  readonly hash: number;
}

/** What a peer is once it has applied an entry. */
export interface AppliedMark {
  readonly state: ApplyState;
  /** Of all writes that led there, in order. */
  readonly operations: number;
  /** Of the rows that there are. */
  readonly content: number;
}

/** A peer that comes to vote may be so many entries behind what was committed when that was proposed. */
const VOTER_LAG_MAX_COUNT = 1_000;

/** What all peers of one Region ever agreed on. */
export class RegionRecord {
  readonly #id: RegionId;
  readonly #report: Report;
  readonly #leaders = new Map<Term, string>();
  /** By index and term: the entry, and the term of the one before it. */
  readonly #entries = new Map<
    string,
    { readonly hash: number; readonly previous: Term | undefined; by: string }
  >();
  /** Peers that ever had the entry of that index and term durably. */
  readonly #holders = new Map<string, Set<PeerId>>();
  readonly #committed = new Map<Index, { readonly entry: LogEntry; readonly by: string }>();
  readonly #marks = new Map<Index, AppliedMark & { readonly by: string }>();
  /** Rows that there may be at an index between the deletion of a range and the end of its entry. */
  readonly #betweenSteps = new Map<Index, Set<number>>();
  readonly #regions = new Map<string, { readonly text: string; readonly by: string }>();
  readonly #configs = new ConfigHistory();
  /** The last entry that each peer ever had durably, by itself or in a snapshot. */
  readonly #reached = new Map<PeerId, Index>();
  /** Of each index: the last entry that was committed when it was appended first. */
  readonly #committedAtAppend = new Map<Index, number>();
  #lastCommitted = 0;
  /** A merge of it is prepared: what its peers still lack comes with the entry of the Region that takes it. */
  isBeingTaken = false;
  /** Told of each configuration that a change made, when a peer comes to it first. */
  readonly #onConfig: (state: ConfState) => void;

  constructor(id: RegionId, report: Report, onConfig: (state: ConfState) => void = () => {}) {
    this.#id = id;
    this.#report = report;
    this.#onConfig = onConfig;
  }

  /** Election safety: a term has one leader. */
  sawLeader(by: string, term: Term): void {
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== by) {
      this.#report("one leader a term", `Region ${this.#id}: both ${known} and ${by} lead in term ${term}`);
    }
    this.#leaders.set(term, by);
  }

  /** Log matching: index and term name one entry, and with it the one before. */
  sawEntry(by: string, index: Index, { term, hash }: LogEntry, previous: Term | undefined): void {
    const name = `${index}/${term}`;
    const known = this.#entries.get(name);
    if (known === undefined) {
      this.#entries.set(name, { hash, previous, by });
      if (!this.#committedAtAppend.has(index)) {
        this.#committedAtAppend.set(index, this.#lastCommitted);
      }
      return;
    }
    const differs =
      known.hash !== hash
        ? "what it says"
        : known.previous !== undefined && previous !== undefined && known.previous !== previous
          ? "the term before it"
          : undefined;
    if (differs !== undefined) {
      const text = `Region ${this.#id}: entry ${index} of term ${term} differs on ${known.by} and ${by}: ${differs}`;
      this.#report("log matching", text);
    }
  }

  /** The term of the entry before the one named, as every log has it. */
  previousTerm(index: Index, term: Term): Term | undefined {
    return this.#entries.get(`${index}/${term}`)?.previous;
  }

  sawDurable(peer: PeerId, index: Index, term: Term): void {
    const name = `${index}/${term}`;
    const holders = this.#holders.get(name) ?? new Set();
    holders.add(peer);
    this.#holders.set(name, holders);
    this.sawReached(peer, index);
  }

  /** A peer has everything up to there, durably or in a snapshot that it took. */
  sawReached(peer: PeerId, index: Index): void {
    this.#reached.set(peer, Math.max(index, this.#reached.get(peer) ?? 0) as Index);
  }

  /** Leader completeness: what was committed anywhere is so everywhere, and a majority has it durably. */
  sawCommitted(by: string, index: Index, entry: LogEntry): void {
    const known = this.#committed.get(index);
    if (known === undefined) {
      this.#committed.set(index, { entry, by });
      this.#lastCommitted = Math.max(this.#lastCommitted, index);
      this.#checkQuorum(by, index, entry.term);
    } else if (known.entry.term !== entry.term || known.entry.hash !== entry.hash) {
      const terms = `of term ${known.entry.term} on ${known.by}, and of term ${entry.term} on ${by}`;
      this.#report("committed entries stay", `Region ${this.#id}: entry ${index} is committed ${terms}`);
    }
  }

  /** A peer has this configuration at an applied index. */
  sawConfState(by: string, index: Index, state: ConfState): void {
    const seen = this.#configs.saw(index, state);
    if (typeof seen === "string") {
      this.#report("an index stands for one configuration", `Region ${this.#id} on ${by}: ${seen}`);
    } else if (seen?.before !== undefined) {
      this.#checkChange(by, index, seen.before, state);
      this.#onConfig(state);
    }
  }

  /** Majorities overlap, and who comes to vote has what is committed. */
  #checkChange(by: string, index: Index, before: ConfState, state: ConfState): void {
    const problem = stepProblem(before, state);
    if (problem !== undefined) {
      this.#report("configurations follow each other", `Region ${this.#id} at ${index} on ${by}: ${problem}`);
    }
    const committed = this.#committedAtAppend.get(index) ?? 0;
    for (const voter of newVoters(before, state)) {
      const reached = this.#reached.get(voter);
      if (reached === undefined || reached < committed - VOTER_LAG_MAX_COUNT) {
        const has = reached === undefined ? "nothing" : `entries up to ${reached}`;
        const text = `peer ${voter} votes from ${index} on and has ${has}; ${committed} was committed when that was proposed`;
        this.#report("who comes to vote is caught up", `Region ${this.#id} on ${by}: ${text}`);
      }
    }
  }

  /** State machine safety: peers on the same applied index have gone the same way, and have the same rows. */
  sawApplied(by: string, mark: AppliedMark): void {
    const { index } = mark.state;
    const known = this.#marks.get(index);
    if (known === undefined) {
      this.#marks.set(index, { ...mark, by });
      return;
    }
    const differences = differencesOf(known, mark);
    if (differences.length > 0) {
      const text = `Region ${this.#id}: ${known.by} and ${by} have applied ${index} and differ: ${differences.join("; ")}`;
      this.#report("same applied index, same state", text);
    }
  }

  /**
   * A range was deleted by an entry that is not applied yet, and is applied in a later step (DESIGN §3). A crash in
   * between leaves these rows at this index, and a snapshot may carry them: the entry follows, and deletes what is gone.
   */
  sawRangeDeleted(applied: Index | undefined, content: number): void {
    if (applied !== undefined) {
      this.#betweenSteps.set(applied, (this.#betweenSteps.get(applied) ?? new Set()).add(content));
    }
  }

  /** Whether a deletion of a range left these rows ahead of its entry. */
  isBetweenSteps(applied: Index, content: number): boolean {
    return (
      this.#marks.get(applied)?.content !== content && this.#betweenSteps.get(applied)?.has(content) === true
    );
  }

  markAt(index: Index): AppliedMark | undefined {
    return this.#marks.get(index);
  }

  /** An epoch stands for one range and one set of peers. */
  sawRegion(by: string, region: Region): void {
    const { epoch } = region;
    this.#compare(by, `range of version ${epoch.version}`, formatRange(region));
    const peers = region.peers.map(({ id, storeId, role }) => `${id}@${storeId} ${role}`).toSorted();
    this.#compare(by, `peers of epoch ${epoch.confVer}/${epoch.version}`, peers.join(", "));
  }

  #compare(by: string, what: string, text: string): void {
    const known = this.#regions.get(what);
    if (known !== undefined && known.text !== text) {
      this.#report(
        "an epoch stands for one Region",
        `Region ${this.#id}: the ${what} is ${known.text} for ${known.by}, and ${text} for ${by}`,
      );
    }
    this.#regions.set(what, { text, by });
  }

  #checkQuorum(by: string, index: Index, term: Term): void {
    const holders = this.#holders.get(`${index}/${term}`) ?? new Set<PeerId>();
    const isHeld = (voters: readonly PeerId[]): boolean =>
      voters.length === 0 || 2 * voters.filter((id) => holders.has(id)).length > voters.length;
    const configs = this.#configs.for(index);
    const isQuorum = configs.some((state) => isHeld(state.voters) && isHeld(state.votersOutgoing));
    if (configs.length > 0 && !isQuorum) {
      const who = holders.size === 0 ? "no peer" : `only ${[...holders].join(", ")}`;
      const voters = configs.at(-1)?.voters.join(", ");
      const text = `Region ${this.#id}: entry ${index} of term ${term} is committed for ${by}, and ${who} of ${voters} has it durably`;
      this.#report("committed by a durable majority", text);
    }
  }
}

function differencesOf(a: AppliedMark, b: AppliedMark): string[] {
  const differences: string[] = [];
  for (const field of ["term", "revision", "logTimeMs"] as const) {
    if (a.state[field] !== b.state[field]) {
      differences.push(`${field} ${a.state[field]} and ${b.state[field]}`);
    }
  }
  if (a.operations !== b.operations) {
    differences.push("the writes that led there");
  }
  if (a.content !== b.content) {
    differences.push("the rows");
  }
  return differences;
}
