import type { Index, PeerId, PeerRole, RegionId, Term } from "@flaredb/rdb-base";
import type { ConfState, HardState } from "@flaredb/rdb-raft";
import type { ApplyState, RegionLocalState, TruncatedState } from "@flaredb/rdb-storage";
import { EMPTY_HASH } from "./hash.ts";
import type { LogEntry, RegionRecord, Report } from "./region-record.ts";

/** What one Store's peer of a Region has submitted to its database, and what of its log is durable. */
export class PeerRecord {
  readonly regionId: RegionId;
  /** The Store's name, for people. */
  readonly name: string;
  readonly region: RegionRecord;
  readonly #report: Report;
  #localState: RegionLocalState | undefined;
  readonly #log = new Map<Index, LogEntry>();
  readonly #durable = new Map<Index, LogEntry>();
  peerId: PeerId | undefined;
  truncated: TruncatedState = { index: 0 as Index, term: 0 as Term };
  hardState: HardState | undefined;
  durableHardState: HardState | undefined;
  applied: ApplyState | undefined;
  confState: ConfState | undefined;
  /** Of all writes that the applied part of the log made, in order. */
  operations: number = EMPTY_HASH;
  /** Rows of a range are gone ahead of the entry that deletes them: they are right once that is applied (again). */
  isBetweenSteps = false;
  #lastIndex = 0;

  constructor(regionId: RegionId, name: string, region: RegionRecord, report: Report) {
    this.regionId = regionId;
    this.name = name;
    this.region = region;
    this.#report = report;
  }

  /** The last index that this peer knows to be committed. */
  get commit(): number {
    return Math.max(this.hardState?.commit ?? 0, this.applied?.index ?? 0, this.truncated.index);
  }

  get localState(): RegionLocalState | undefined {
    return this.#localState;
  }

  /** The Region as the Store knows it: its epoch never goes back. */
  setLocalState(localState: RegionLocalState): void {
    const isKnown = this.#localState !== undefined && this.#localState.state !== "Uninitialised";
    const old = isKnown ? this.#localState?.region.epoch : undefined;
    const now = localState.region.epoch;
    if (old !== undefined && (now.version < old.version || now.confVer < old.confVer)) {
      const text = `${old.confVer}/${old.version} becomes ${now.confVer}/${now.version}`;
      this.#tell("epochs never go back", text);
    }
    this.#localState = localState;
  }

  /** After a part: the configuration counts just the Region's peers, in their roles. */
  checkConfState(): void {
    const { confState: state } = this;
    const peers = this.#localState?.state === "Normal" ? this.#localState.region.peers : undefined;
    if (state === undefined || peers === undefined) {
      return;
    }
    const isJoint = state.votersOutgoing.length > 0;
    const of = (...roles: readonly PeerRole[]): string =>
      sorted(peers.filter(({ role }) => roles.includes(role)).map(({ id }) => id));
    const isSame =
      sorted(state.voters) === of("Voter", "IncomingVoter") &&
      sorted(state.votersOutgoing) === (isJoint ? of("Voter", "DemotingVoter") : "") &&
      sorted(state.learners) === of("Learner") &&
      sorted(state.learnersNext) === of("DemotingVoter");
    if (!isSame) {
      const text = peers.map(({ id, role }) => `${id} ${role}`).join(", ");
      this.#tell("the configuration is the Region's peers", `${JSON.stringify(state)}, and ${text}`);
    }
  }

  get durableEntries(): ReadonlyMap<Index, LogEntry> {
    return this.#durable;
  }

  entry(index: Index): LogEntry | undefined {
    return this.#log.get(index);
  }

  /** An entry is appended, or takes the place of another one. */
  putEntry(index: Index, entry: LogEntry): void {
    const before = this.#log.get(index);
    const isOther = before !== undefined && (before.term !== entry.term || before.hash !== entry.hash);
    if (isOther && index <= this.commit) {
      const terms = `of term ${before.term} is replaced by one of term ${entry.term}`;
      this.#tell("committed entries stay", `entry ${index} ${terms}, and ${this.commit} is committed`);
    }
    const previous = this.#log.get((index - 1) as Index)?.term ?? this.#termOfTruncated(index - 1);
    if (previous === undefined) {
      this.#tell("logs have no holes", `entry ${index} is appended without one before it`);
    }
    this.#log.set(index, entry);
    this.#lastIndex = Math.max(this.#lastIndex, index);
    this.region.sawEntry(this.name, index, entry, previous);
  }

  /** An entry is gone, and was not put again; what the log is truncated at, the part has told. */
  deleteEntry(index: Index): void {
    this.#log.delete(index);
    if (index > this.truncated.index && index <= this.commit) {
      this.#tell("committed entries stay", `entry ${index} is deleted, and ${this.commit} is committed`);
    }
    while (this.#lastIndex > this.truncated.index && !this.#log.has(this.#lastIndex as Index)) {
      this.#lastIndex--;
    }
  }

  /** After a part that put entries up to `index`: what lies behind it belongs to them. */
  checkTail(index: Index): void {
    const next = this.#log.get((index + 1) as Index);
    const term = this.#log.get(index)?.term;
    const expected = next && this.region.previousTerm((index + 1) as Index, next.term);
    if (expected !== undefined && term !== undefined && expected !== term) {
      const text = `entry ${index + 1} of term ${next?.term} is left behind entry ${index} of term ${term}`;
      this.#tell("a conflicting tail is cut", text);
    }
  }

  /** Terms rise, one vote a term, and what is committed is in the log. */
  putHardState(state: HardState): void {
    const before = this.hardState;
    if (before !== undefined && state.term < before.term) {
      this.#tell("terms never fall", `term ${before.term} becomes ${state.term}`);
    }
    this.#checkVote(before, state);
    if (before !== undefined && state.commit < before.commit) {
      this.#tell("committed entries stay", `commit ${before.commit} becomes ${state.commit}`);
    }
    this.hardState = state;
  }

  /** After a part: every entry up to `commit` is the one that is committed. */
  checkCommitted(from: number): void {
    for (let index = Math.max(from, this.truncated.index) + 1; index <= this.commit; index++) {
      const entry = this.#log.get(index as Index);
      if (entry === undefined) {
        const text = `${this.commit} is committed, and the log ends at ${this.#lastIndex}`;
        this.#tell("commit lies in the log", text);
        return;
      }
      this.region.sawCommitted(this.name, index as Index, entry);
    }
  }

  /** The entry is on the disk for good. */
  becameDurable(index: Index, entry: LogEntry | undefined): void {
    if (entry === undefined) {
      this.#durable.delete(index);
      return;
    }
    this.#durable.set(index, entry);
    if (this.peerId !== undefined) {
      this.region.sawDurable(this.peerId, index, entry.term);
    }
  }

  hardStateBecameDurable(state: HardState): void {
    this.#checkVote(this.durableHardState, state);
    this.durableHardState = state;
  }

  /** Applies never go back, leave nothing out, and take nothing that is not durable here. */
  checkApply(to: ApplyState): void {
    const from = this.applied;
    if (from === undefined || to.index === from.index) {
      return;
    }
    if (to.index < from.index || to.revision < from.revision || to.logTimeMs < from.logTimeMs) {
      this.#tell("applies go forward", `${describe(from)} becomes ${describe(to)}`);
    }
    for (let index = from.index + 1; index <= to.index; index++) {
      const durable = this.#durable.get(index as Index);
      const entry = this.#log.get(index as Index);
      if (index <= this.truncated.index && durable !== undefined) {
        // Applied and cut in one part.
        continue;
      }
      const isCarried = this.region.isBeingTaken && entry !== undefined;
      if (!isCarried && (entry === undefined || durable?.term !== entry.term)) {
        const what = entry === undefined ? "is not in the log" : `of term ${entry?.term} is not durable here`;
        this.#tell("applied is durable", `entry ${index} is applied and ${what}`);
        return;
      }
    }
    const last = this.#log.get(to.index);
    if (last !== undefined && last.term !== to.term) {
      this.#tell(
        "applies go forward",
        `entry ${to.index} of term ${last.term} is applied as one of term ${to.term}`,
      );
    }
  }

  #checkVote(before: HardState | undefined, { term, vote }: HardState): void {
    if (before !== undefined && before.term === term && before.vote !== 0 && before.vote !== vote) {
      this.#tell("one vote a term", `in term ${term} the vote for ${before.vote} becomes one for ${vote}`);
    }
  }

  #termOfTruncated(index: number): Term | undefined {
    return index === this.truncated.index ? this.truncated.term : undefined;
  }

  #tell(name: string, text: string): void {
    this.#report(name, `Region ${this.regionId} on ${this.name}: ${text}`);
  }
}

function describe({ index, term, revision, logTimeMs }: ApplyState): string {
  return `applied ${index} (term ${term}, revision ${revision}, log time ${logTimeMs})`;
}

function sorted(ids: readonly PeerId[]): string {
  return ids.toSorted((a, b) => a - b).join(", ");
}
