import type { Index, Term } from "@flaredb/rdb-base";
import { MemoryStorage } from "../memory-storage.ts";
import type { ConfState, Entry, HardState, Snapshot } from "../messages.ts";
import type { RaftStorage, StorageMiss } from "../storage.ts";

/** A memory storage whose log may begin at index 1, with the configuration that the group was made with. */
export class TestDisk implements RaftStorage {
  readonly log = new MemoryStorage();
  readonly #firstConfState: ConfState;

  constructor(firstConfState: ConfState) {
    this.#firstConfState = firstConfState;
  }

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    const { hardState, confState } = this.log.initialState();
    return { hardState, confState: confState.voters.length === 0 ? this.#firstConfState : confState };
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

  snapshot(): Snapshot | StorageMiss {
    return this.log.snapshot();
  }

  /** Every entry that the log still has. */
  allEntries(): readonly Entry[] {
    const end = (this.lastIndex() + 1) as Index;
    const entries =
      end === this.firstIndex() ? [] : this.entries(this.firstIndex(), end, Number.MAX_SAFE_INTEGER);
    return typeof entries === "string" ? [] : entries;
  }
}
