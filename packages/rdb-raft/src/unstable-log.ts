import { assert, type Index, type Term } from "@flaredb/rdb-base";
import type { RaftLogger } from "./config.ts";
import { countWithinBytes } from "./entry-size.ts";
import { type EntryId, maxIndex, minIndex, plus } from "./index-math.ts";
import type { Entry, Snapshot } from "./messages.ts";

/**
 * The end of the log that storage has not confirmed: entries from `offset` on, and before them perhaps a
 * snapshot. What was handed to storage and not confirmed is in progress (etcd-io/raft `log_unstable.go`).
 *
 * The entries live in an array whose head is dropped lazily, so that confirming them one by one stays linear.
 */
export class UnstableLog {
  /** The snapshot to install before the entries. */
  snapshot: Snapshot | undefined;
  /** The index of the first unstable entry. It may be below storage's last index: then it replaces that tail. */
  offset: Index;
  /** Entries of [offset, offsetInProgress) are being written. Invariant: offset <= offsetInProgress. */
  offsetInProgress: Index;
  /** Whether the snapshot is being written. */
  snapshotInProgress = false;
  readonly #logger: RaftLogger;
  #buffer: Entry[] = [];
  /** Where in the buffer `offset` is. */
  #head = 0;

  constructor(offset: Index, logger: RaftLogger) {
    this.offset = offset;
    this.offsetInProgress = offset;
    this.#logger = logger;
  }

  /** How many entries are unstable, in progress or not. */
  get length(): number {
    return this.#buffer.length - this.#head;
  }

  /** The first index after the snapshot, when there is one. */
  maybeFirstIndex(): Index | undefined {
    return this.snapshot === undefined ? undefined : plus(this.snapshot.metadata.index, 1);
  }

  /** The last index, when there is an entry or a snapshot. */
  maybeLastIndex(): Index | undefined {
    return this.length > 0 ? plus(this.offset, this.length - 1) : this.snapshot?.metadata.index;
  }

  /** The term of the entry at `index`, when it is known here. */
  maybeTerm(index: Index): Term | undefined {
    if (index < this.offset) {
      const metadata = this.snapshot?.metadata;
      return metadata?.index === index ? metadata.term : undefined;
    }
    return this.#buffer[this.#head + (index - this.offset)]?.term;
  }

  /** Whether there are entries not yet handed to storage. */
  hasNextEntries(): boolean {
    return this.offset + this.length > this.offsetInProgress;
  }

  /** The entries not yet handed to storage. */
  nextEntries(): readonly Entry[] {
    return this.hasNextEntries()
      ? this.#buffer.slice(this.#head + (this.offsetInProgress - this.offset))
      : NO_ENTRIES;
  }

  /** The snapshot, unless it was handed to storage. */
  nextSnapshot(): Snapshot | undefined {
    return this.snapshotInProgress ? undefined : this.snapshot;
  }

  /** Everything here was handed to storage. */
  acceptInProgress(): void {
    this.offsetInProgress = maxIndex(this.offsetInProgress, plus(this.offset, this.length));
    if (this.snapshot !== undefined) {
      this.snapshotInProgress = true;
    }
  }

  /**
   * Storage has everything up to `id`. Ignored when the entry was replaced meanwhile: storage then confirms
   * the entry of another term, and a later confirmation covers the new one.
   */
  stableTo(id: EntryId): void {
    const term = this.maybeTerm(id.index);
    if (term === undefined) {
      this.#logger.info(`entry at index ${id.index} missing from unstable log; ignoring`);
      return;
    }
    if (id.index < this.offset) {
      this.#logger.info(`entry at index ${id.index} matched unstable snapshot; ignoring`);
      return;
    }
    if (term !== id.term) {
      this.#logger.info(
        `entry at (index,term)=(${id.index},${id.term}) mismatched with ` +
          `entry at (${id.index},${term}) in unstable log; ignoring`,
      );
      return;
    }
    this.#drop(id.index + 1 - this.offset);
    this.offset = plus(id.index, 1);
    this.offsetInProgress = maxIndex(this.offsetInProgress, this.offset);
  }

  /** Storage has installed the snapshot of `index`. */
  stableSnapshotTo(index: Index): void {
    if (this.snapshot?.metadata.index === index) {
      this.snapshot = undefined;
      this.snapshotInProgress = false;
    }
  }

  /** Starts anew behind a snapshot. */
  restore(snapshot: Snapshot): void {
    this.offset = plus(snapshot.metadata.index, 1);
    this.offsetInProgress = this.offset;
    this.#replace([]);
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Appends entries, in place of those at and after the first one's index. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const first = entries[0];
    assert(first !== undefined, "entries to append are not empty");
    const from = first.index;
    const end = this.offset + this.length;
    if (from === end) {
      this.#push(entries);
    } else if (from <= this.offset) {
      // The log is truncated below its unstable part: all of it is replaced.
      this.#logger.info(`replace the unstable entries from index ${from}`);
      this.offset = from;
      this.offsetInProgress = from;
      this.#replace(entries);
    } else {
      assert(from < end, "appended entries leave no gap in the unstable log");
      this.#logger.info(`truncate the unstable entries before index ${from}`);
      this.#buffer.length = this.#head + (from - this.offset);
      this.#push(entries);
      // What is in progress from here on was replaced, and must be written again.
      this.offsetInProgress = minIndex(this.offsetInProgress, from);
    }
  }

  /** The entries of [low, high) up to `maxBytes` in all, at least one. Copies no more than it returns. */
  slice(low: Index, high: Index, maxBytes: number): readonly Entry[] {
    assert(low <= high, "a slice does not end before it starts");
    assert(low >= this.offset && high <= this.offset + this.length, "a slice lies inside the unstable log");
    const from = this.#head + (low - this.offset);
    const count = countWithinBytes(this.#buffer, maxBytes, from, from + (high - low));
    return this.#buffer.slice(from, from + count);
  }

  #push(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#buffer.push(entry);
    }
  }

  #replace(entries: readonly Entry[]): void {
    this.#buffer = entries.slice();
    this.#head = 0;
  }

  #drop(count: number): void {
    this.#head += count;
    // Each entry is moved at most once per doubling of the head; no more than half of the buffer is dead.
    if (this.#head * 2 >= this.#buffer.length) {
      this.#buffer = this.#buffer.slice(this.#head);
      this.#head = 0;
    }
  }
}

const NO_ENTRIES: readonly Entry[] = [];
