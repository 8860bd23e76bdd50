import type { Index, Term } from "@flaredb/rdb-base";
import type { ConfState, Entry, HardState, Snapshot } from "./messages.ts";

/** Why a storage read has no answer. Data, because the core acts on it. */
export type StorageMiss =
  /** The entries asked for are before `firstIndex`. */
  | "compacted"
  /** The entries asked for are after `lastIndex`. */
  | "unavailable"
  /** The entries, or the snapshot, are being fetched: ask again later. */
  | "temporarily-unavailable";

/**
 * The core's view of what is stable. Synchronous: implementations answer from memory or from a read that does
 * not wait. Called only from inside RawNode's methods.
 *
 * Invariant: the entry at `firstIndex() - 1` is known by its term only (it is the snapshot's, or was compacted).
 */
export interface RaftStorage {
  /** What a restart begins from. */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * The entries of [low, high), in order; at least one, then as many as stay within `maxBytes` in all
   * (an entry's size: see `entrySizeBytes`).
   */
  entries(low: Index, high: Index, maxBytes: number): readonly Entry[] | StorageMiss;
  /** The term of the entry at `index`; known for [firstIndex - 1, lastIndex]. */
  term(index: Index): Term | StorageMiss;
  lastIndex(): Index;
  firstIndex(): Index;
  /** The newest snapshot, or "temporarily-unavailable" while one is made. */
  snapshot(): Snapshot | StorageMiss;
}
