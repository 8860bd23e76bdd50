import { assert, type Index, type Term } from "@flaredb/rdb-base";
import type { MemoryStorage } from "../memory-storage.ts";
import type { ConfState, Entry, HardState, Snapshot } from "../messages.ts";
import type { RaftStorage, StorageMiss } from "../storage.ts";

/**
 * A peer's storage: the log in memory, and a snapshot for each entry that was applied. Whoever asks for a snapshot
 * gets the newest of the history, whatever the log was compacted to.
 */
export class SnapshotHistory implements RaftStorage {
  readonly log: MemoryStorage;
  readonly #history: Snapshot[];

  constructor(log: MemoryStorage, first: Snapshot) {
    this.log = log;
    this.#history = [first];
  }

  get newest(): Snapshot {
    const newest = this.#history.at(-1);
    assert(newest !== undefined, "the history of snapshots begins with the bootstrap one");
    return newest;
  }

  /** Applies an entry to a state machine that appends: the next snapshot holds the last one's data and `data`. */
  apply(entry: Entry, data: Uint8Array, confState: ConfState | undefined): void {
    const { newest } = this;
    this.#history.push({
      metadata: { index: entry.index, term: entry.term, confState: confState ?? newest.metadata.confState },
      data: Uint8Array.of(...newest.data, ...data),
    });
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return this.log.initialState();
  }

  entries(low: Index, high: Index, maxBytes: number): readonly Entry[] | StorageMiss {
    return this.log.entries(low, high, maxBytes);
  }

  term(index: Index): Term | StorageMiss {
    return this.log.term(index);
  }

  lastIndex(): Index {
    return this.log.lastIndex();
  }

  firstIndex(): Index {
    return this.log.firstIndex();
  }

  snapshot(): Snapshot {
    return this.newest;
  }
}
