import { assert, type Index, type Term } from "@flaredb/rdb-base";
import { EMPTY_HARD_STATE, EMPTY_SNAPSHOT } from "./empty-state.ts";
import { countWithinBytes } from "./entry-size.ts";
import { plus, ZERO_INDEX, ZERO_TERM } from "./index-math.ts";
import type { ConfState, Entry, HardState, Snapshot } from "./messages.ts";
import type { RaftStorage, StorageMiss } from "./storage.ts";

/** The reference RaftStorage: everything in memory. Its driver writes to it as it would to a disk. */
export class MemoryStorage implements RaftStorage {
  #hardState: HardState = EMPTY_HARD_STATE;
  #snapshot: Snapshot = EMPTY_SNAPSHOT;
  /** The entry before the first one: where the log was compacted. */
  #compacted: { readonly index: Index; readonly term: Term } = { index: ZERO_INDEX, term: ZERO_TERM };
  #entries: Entry[] = [];

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.metadata.confState };
  }

  entries(low: Index, high: Index, maxBytes: number): readonly Entry[] | StorageMiss {
    if (low <= this.#compacted.index) {
      return "compacted";
    }
    assert(high <= this.lastIndex() + 1, `entries before ${high} are within the log`);
    if (this.#entries.length === 0) {
      return "unavailable";
    }
    const from = low - this.firstIndex();
    const count = countWithinBytes(this.#entries, maxBytes, from, high - this.firstIndex());
    return this.#entries.slice(from, from + count);
  }

  term(index: Index): Term | StorageMiss {
    if (index < this.#compacted.index) {
      return "compacted";
    }
    if (index === this.#compacted.index) {
      return this.#compacted.term;
    }
    return this.#entries[index - this.firstIndex()]?.term ?? "unavailable";
  }

  lastIndex(): Index {
    return plus(this.#compacted.index, this.#entries.length);
  }

  firstIndex(): Index {
    return plus(this.#compacted.index, 1);
  }

  snapshot(): Snapshot | StorageMiss {
    return this.#snapshot;
  }

  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** Replaces everything by a snapshot. False when it is older than what is here. */
  applySnapshot(snapshot: Snapshot): boolean {
    const { index, term } = snapshot.metadata;
    if (index <= this.#snapshot.metadata.index) {
      return false;
    }
    this.#snapshot = snapshot;
    this.#compacted = { index, term };
    this.#entries = [];
    return true;
  }

  /**
   * Records the state machine's content at `index`, an index of the log.
   *
   * @param confState the configuration at that index; undefined when it is that of the last snapshot
   * @returns the snapshot, or undefined when a newer one is here
   */
  createSnapshot(index: Index, confState: ConfState | undefined, data: Uint8Array): Snapshot | undefined {
    if (index <= this.#snapshot.metadata.index) {
      return undefined;
    }
    const term = this.term(index);
    assert(typeof term === "number", `the entry at ${index} of a new snapshot is in the log`);
    this.#snapshot = {
      metadata: { confState: confState ?? this.#snapshot.metadata.confState, index, term },
      data,
    };
    return this.#snapshot;
  }

  /** Drops the entries up to `index`. False when that was done already. The caller keeps index <= applied. */
  compact(index: Index): boolean {
    if (index <= this.#compacted.index) {
      return false;
    }
    const term = this.term(index);
    assert(typeof term === "number", `the log reaches ${index}, up to which it is compacted`);
    this.#entries = this.#entries.slice(index - this.#compacted.index);
    this.#compacted = { index, term };
    return true;
  }

  /** Appends entries in place of any from the first one's index on; those compacted already are skipped. */
  append(entries: readonly Entry[]): void {
    const kept = entries.filter((entry) => entry.index > this.#compacted.index);
    const first = kept[0];
    if (first === undefined) {
      return;
    }
    const position = first.index - this.firstIndex();
    assert(position <= this.#entries.length, `the entry ${first.index} to append leaves no gap in the log`);
    this.#entries.length = position;
    for (const entry of kept) {
      this.#entries.push(entry);
    }
  }
}
