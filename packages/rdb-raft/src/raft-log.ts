import { assert, type Index, RdbError, type Term } from "@flaredb/rdb-base";
import type { RaftLogger } from "./config.ts";
import { entriesSizeBytes } from "./entry-size.ts";
import { type EntryId, maxIndex, minIndex, plus, ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import type { Entry, Snapshot } from "./messages.ts";
import type { RaftStorage, StorageMiss } from "./storage.ts";
import { UnstableLog } from "./unstable-log.ts";

/**
 * The whole log: what storage has, the unstable end, and how far it is committed and applied.
 *
 * Invariant: applied <= applying <= committed <= last index.
 */
export class RaftLog {
  readonly unstable: UnstableLog;
  /** The highest index known to be on a quorum. */
  committed: Index;
  /** The highest index handed out to be applied. */
  applying: Index;
  /** The highest index that the state machine has applied. */
  applied: Index;
  readonly #storage: RaftStorage;
  readonly #logger: RaftLogger;
  /** Most bytes of entries handed out and not yet applied, and so of one Ready's committedEntries. */
  readonly maxApplyingBytes: number;
  #applyingBytes = 0;
  #applyingPaused = false;
  /** Storage is fetching the entries to apply next; looked at again after `retryFetch`. */
  #fetching = false;

  constructor(storage: RaftStorage, logger: RaftLogger, maxApplyingBytes: number) {
    this.#storage = storage;
    this.#logger = logger;
    this.maxApplyingBytes = maxApplyingBytes;
    this.unstable = new UnstableLog(plus(storage.lastIndex(), 1), logger);
    const compacted = plus(storage.firstIndex(), -1);
    this.committed = compacted;
    this.applying = compacted;
    this.applied = compacted;
  }

  firstIndex(): Index {
    return this.unstable.maybeFirstIndex() ?? this.#storage.firstIndex();
  }

  lastIndex(): Index {
    return this.unstable.maybeLastIndex() ?? this.#storage.lastIndex();
  }

  lastEntryId(): EntryId {
    const index = this.lastIndex();
    const term = this.term(index);
    assert(typeof term === "number", `the term of the last entry ${index} is known`);
    return { term, index };
  }

  /** The term of the entry at `index`; known from the one before `firstIndex` to the last. */
  term(index: Index): Term | StorageMiss {
    const unstable = this.unstable.maybeTerm(index);
    if (unstable !== undefined) {
      return unstable;
    }
    if (index + 1 < this.firstIndex()) {
      return "compacted";
    }
    return index > this.lastIndex() ? "unavailable" : this.#storage.term(index);
  }

  /** The term of the entry at `index`, or 0 when it is not known: for messages to people. */
  termOrZero(index: Index): Term {
    const term = this.term(index);
    return typeof term === "number" ? term : ZERO_TERM;
  }

  matchTerm(id: EntryId): boolean {
    return this.term(id.index) === id.term;
  }

  /** Whether a log that ends with `last` is at least as complete as this one (thesis §3.6.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.lastEntryId();
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /**
   * Appends a leader's entries that follow `previous`, from the first one on that differs, and commits up to
   * `committed` or the last of them. Returns the last one's index; undefined when the log lacks `previous`.
   */
  maybeAppend(previous: EntryId, entries: readonly Entry[], committed: Index): Index | undefined {
    if (!this.matchTerm(previous)) {
      return undefined;
    }
    const last = plus(previous.index, entries.length);
    const conflict = this.#findConflict(entries);
    if (conflict !== undefined) {
      assert(conflict > this.committed, `entry ${conflict} conflicts with no committed entry`);
      this.append(entries.slice(conflict - (previous.index + 1)));
    }
    this.commitTo(minIndex(committed, last));
    return last;
  }

  /** Appends entries, in place of any from the first one's index on. Returns the last index. */
  append(entries: readonly Entry[]): Index {
    const first = entries[0];
    if (first !== undefined) {
      assert(first.index > this.committed, `the appended entry ${first.index} replaces no committed entry`);
      this.unstable.truncateAndAppend(entries);
    }
    return this.lastIndex();
  }

  /**
   * The last entry at or below `index` whose term is at most `term`: where a log that ends with (`index`,
   * `term`) may meet this one. Term 0 when it is not known here.
   */
  findConflictByTerm(index: Index, term: Term): EntryId {
    for (let at = index; at > 0; at = plus(at, -1)) {
      const own = this.term(at);
      if (typeof own !== "number") {
        return { index: at, term: ZERO_TERM };
      }
      if (own <= term) {
        return { index: at, term: own };
      }
    }
    return { index: ZERO_INDEX, term: ZERO_TERM };
  }

  /**
   * Commits what a leader's heartbeat says, which this peer has acknowledged to have.
   *
   * @throws RdbError RDB_DATA_CORRUPT when the log ends before
   */
  commitAcknowledged(index: Index): void {
    if (index > this.lastIndex()) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `the leader says that ${index} was acknowledged here, and the log ends at ${this.lastIndex()}: the disk lost what was written to it, or the sender is no peer of this group`,
      );
    }
    this.commitTo(index);
  }

  commitTo(index: Index): void {
    if (this.committed < index) {
      assert(
        index <= this.lastIndex(),
        `commit ${index} is within the log, whose last index is ${this.lastIndex()}`,
      );
      this.committed = index;
    }
  }

  /** Commits up to `id` if the log has it, and it is of the leader's own term (thesis §3.6.2). */
  maybeCommit(id: EntryId): boolean {
    if (id.term === 0 || id.index <= this.committed || !this.matchTerm(id)) {
      return false;
    }
    this.commitTo(id.index);
    return true;
  }

  /** Starts anew from a leader's snapshot. */
  restore(snapshot: Snapshot): void {
    const { index, term } = snapshot.metadata;
    this.#logger.info(`log [${this.describe()}] starts to restore snapshot [index: ${index}, term: ${term}]`);
    this.committed = index;
    this.unstable.restore(snapshot);
  }

  /** The newest snapshot to send. */
  snapshot(): Snapshot | StorageMiss {
    return this.unstable.snapshot ?? this.#storage.snapshot();
  }

  /** The entries from `low` on, up to `maxBytes` in all, at least one if there is one. */
  entries(low: Index, maxBytes: number): readonly Entry[] | StorageMiss {
    const last = this.lastIndex();
    return low > last ? [] : this.slice(low, plus(last, 1), maxBytes);
  }

  /** The entries of [low, high), up to `maxBytes` in all, at least one if there is one. */
  slice(low: Index, high: Index, maxBytes: number): readonly Entry[] | StorageMiss {
    assert(low <= high, `a slice does not end at ${high} before it starts at ${low}`);
    if (low < this.firstIndex()) {
      return "compacted";
    }
    assert(high <= this.lastIndex() + 1, `a slice that ends before ${high} lies inside the log`);
    const offset = this.unstable.offset;
    if (low >= offset) {
      return low === high ? [] : this.unstable.slice(low, high, maxBytes);
    }
    const cut = minIndex(high, offset);
    const stable = this.#storage.entries(low, cut, maxBytes);
    assert(stable !== "unavailable", `storage has the entries [${low}:${cut})`);
    if (typeof stable === "string" || high <= offset || stable.length < cut - low) {
      return stable;
    }
    const size = entriesSizeBytes(stable);
    if (size >= maxBytes) {
      return stable;
    }
    const rest = this.unstable.slice(offset, high, maxBytes - size);
    // A single entry may be larger than what remains: it is left for the next time.
    return rest.length === 1 && size + entriesSizeBytes(rest) > maxBytes ? stable : [...stable, ...rest];
  }

  hasUnstableSnapshot(): boolean {
    return this.unstable.snapshot !== undefined;
  }

  /** Whether there are entries to apply. `allowUnstable`: including those that storage has not confirmed. */
  hasNextCommittedEntries(allowUnstable: boolean): boolean {
    // Nothing is applied beside a snapshot that waits to be installed, or while enough is being applied.
    return (
      !this.#applyingPaused &&
      !this.#fetching &&
      !this.hasUnstableSnapshot() &&
      this.applying < this.#maxAppliable(allowUnstable)
    );
  }

  nextCommittedEntries(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommittedEntries(allowUnstable)) {
      return [];
    }
    const budget = this.maxApplyingBytes - this.#applyingBytes;
    assert(budget > 0, "entries are handed out to be applied only within their limit of bytes");
    const high = plus(this.#maxAppliable(allowUnstable), 1);
    const entries = this.slice(plus(this.applying, 1), high, budget);
    if (entries === "temporarily-unavailable") {
      this.#fetching = true;
      return [];
    }
    assert(typeof entries !== "string", `committed entries after ${this.applying} are in the log`);
    return entries;
  }

  /** Looks again for entries that storage was fetching. */
  retryFetch(): void {
    this.#fetching = false;
  }

  /** Entries up to `index`, of `bytes` in all, were handed out to be applied. */
  acceptApplying(index: Index, bytes: number, allowUnstable: boolean): void {
    assert(index <= this.committed, `the applying entry ${index} is committed`);
    this.applying = index;
    this.#applyingBytes += bytes;
    // A batch that was cut short was cut by the limit of bytes: wait until some of it was applied.
    this.#applyingPaused =
      this.#applyingBytes >= this.maxApplyingBytes || index < this.#maxAppliable(allowUnstable);
  }

  /** The state machine has applied up to `index`; `bytes` of entries are off its hands. */
  appliedTo(index: Index, bytes: number): void {
    assert(
      this.applied <= index && index <= this.committed,
      `applied ${index} lies between the applied ${this.applied} and the committed ${this.committed}`,
    );
    this.applied = index;
    this.applying = maxIndex(this.applying, index);
    this.#applyingBytes = Math.max(this.#applyingBytes - bytes, 0);
    this.#applyingPaused = this.#applyingBytes >= this.maxApplyingBytes;
  }

  describe(): string {
    const { offset, offsetInProgress, length } = this.unstable;
    return (
      `committed=${this.committed}, applied=${this.applied}, applying=${this.applying}, ` +
      `unstable.offset=${offset}, unstable.offsetInProgress=${offsetInProgress}, len(unstable.Entries)=${length}`
    );
  }

  #maxAppliable(allowUnstable: boolean): Index {
    return allowUnstable ? this.committed : minIndex(this.committed, plus(this.unstable.offset, -1));
  }

  /** The first of the entries that the log has with another term, or not at all. */
  #findConflict(entries: readonly Entry[]): Index | undefined {
    for (const entry of entries) {
      if (!this.matchTerm(entry)) {
        if (entry.index <= this.lastIndex()) {
          this.#logger.info(
            `found conflict at index ${entry.index} ` +
              `[existing term: ${this.termOrZero(entry.index)}, conflicting term: ${entry.term}]`,
          );
        }
        return entry.index;
      }
    }
    return undefined;
  }
}
