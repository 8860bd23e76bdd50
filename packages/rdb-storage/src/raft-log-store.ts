import { type Index, type RegionId, type Term, assert, hasCode, index, term } from "@flaredb/rdb-base";
import type { ConfState, Entry, HardState, RaftStorage, Snapshot, StorageMiss } from "@flaredb/rdb-raft";
import type { Engine } from "./engine.ts";
import type { EntryCache } from "./entry-cache.ts";
import { indexedKey, stateKey, stateKinds } from "./key-codec.ts";
import {
  type TruncatedState,
  decodeEntry,
  decodeHardState,
  encodeConfState,
  encodeEntry,
  encodeHardState,
  encodeTruncatedState,
} from "./raft-codec.ts";
import { type LoadedRaftState, loadRaftState, refuseLog } from "./raft-log-loader.ts";
import type { WritePart } from "./write-part.ts";

/** Most entries that one call of {@link RaftLogStore.compactTo} deletes. */
export const COMPACT_MAX_COUNT = 4_096;
/** What an entry counts for beside its data when `entries` keeps to its bytes. */
const ENTRY_HEADER_BYTES = 16;

export interface RaftLogStoreOptions {
  readonly regionId: RegionId;
  /** Shared by all Regions of the Store. */
  readonly cache: EntryCache;
  /** The last index that the Region has applied, from its ApplyState; 0 when it has none. */
  readonly applied: Index;
  /** Answers the core's `snapshot()`: the Store makes snapshots, this class knows nothing of them. */
  readonly makeSnapshot: () => Snapshot | StorageMiss;
}

/**
 * What a Region's Raft state begins with: 5 and 5 for a bootstrapped Region, the split entry's index and term 5 for a
 * Region that was split off (ADR 9), 0 and 0 for an empty peer.
 */
export interface InitialRaftState {
  readonly regionId: RegionId;
  readonly index: Index;
  readonly term: Term;
  readonly confState: ConfState;
  /** What an empty peer of the same id promised here already: it stays promised. */
  readonly promised?: HardState | undefined;
}

/**
 * The Raft log and state of one Region's peer, over the Store's engine.
 *
 * Its view moves on when a mutation is added to a part, so the part has to be submitted in the same turn, before
 * anything else is read. Mutations that must be durable set the part's `sync`.
 */
export class RaftLogStore implements RaftStorage {
  readonly regionId: RegionId;
  readonly #engine: Engine;
  readonly #cache: EntryCache;
  readonly #makeSnapshot: () => Snapshot | StorageMiss;
  #hardState: HardState;
  #confState: ConfState;
  #truncated: TruncatedState;
  #lastIndex: Index;

  private constructor(engine: Engine, options: RaftLogStoreOptions, state: LoadedRaftState) {
    this.regionId = options.regionId;
    this.#engine = engine;
    this.#cache = options.cache;
    this.#makeSnapshot = options.makeSnapshot;
    this.#hardState = state.hardState;
    this.#confState = state.confState;
    this.#truncated = state.truncated;
    this.#lastIndex = state.lastIndex;
  }

  /** Whether a peer of the Region has Raft state here. */
  static exists(engine: Engine, regionId: RegionId): boolean {
    return engine.get("raft_state", stateKey(regionId, stateKinds.truncated)) !== undefined;
  }

  /** The term, vote and commit of the Region's peer here, if there is one. @throws RdbError RDB_DATA_CORRUPT */
  static hardStateOf(engine: Engine, regionId: RegionId): HardState | undefined {
    const row = engine.get("raft_state", stateKey(regionId, stateKinds.hardState));
    return row === undefined ? undefined : decodeHardState(row);
  }

  /**
   * Writes the first state of a peer, durably. Its log is empty. {@link RaftLogStore.open} comes after, or
   * {@link RaftLogStore.begin} in the same turn.
   */
  static initialise(part: WritePart, state: InitialRaftState): void {
    const hardState = initialHardState(state);
    const put = (kind: number, value: Uint8Array): void =>
      part.put("raft_state", stateKey(state.regionId, kind), value);
    put(stateKinds.truncated, encodeTruncatedState(state));
    put(stateKinds.hardState, encodeHardState(hardState));
    put(stateKinds.confState, encodeConfState(state.confState));
    part.sync = true;
  }

  /**
   * Puts another term, vote and configuration in the place of what a stopped peer has; its log stays. Durable.
   * {@link RaftLogStore.open} comes after.
   */
  static overwrite(
    part: WritePart,
    regionId: RegionId,
    { hardState, confState }: { readonly hardState: HardState; readonly confState: ConfState },
  ): void {
    part.put("raft_state", stateKey(regionId, stateKinds.hardState), encodeHardState(hardState));
    part.put("raft_state", stateKey(regionId, stateKinds.confState), encodeConfState(confState));
    part.sync = true;
  }

  /**
   * What a restart begins from. The commit index becomes the greatest of HardState's, `applied` and the truncated
   * one: a HardState that only moves it is not synced by itself.
   *
   * @throws RdbError RDB_DATA_CORRUPT when a part is missing, the log has no entry after the truncated one although
   * there are later ones, or ends before what was committed or applied. A gap further inside is found when read.
   */
  static async open(engine: Engine, options: RaftLogStoreOptions): Promise<RaftLogStore> {
    return new RaftLogStore(engine, options, await loadRaftState(engine, options));
  }

  /** The store of a peer whose first state was just submitted: nothing has to be read. */
  static begin(engine: Engine, options: RaftLogStoreOptions, initial: InitialRaftState): RaftLogStore {
    const { index: at, term: of, confState } = initial;
    assert(options.regionId === initial.regionId, "a log begins with the state of its own Region");
    return new RaftLogStore(engine, options, {
      hardState: initialHardState(initial),
      confState,
      truncated: { index: at, term: of },
      lastIndex: at,
    });
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get confState(): ConfState {
    return this.#confState;
  }

  /** The last entry that is known only by its term. */
  get truncated(): TruncatedState {
    return this.#truncated;
  }

  // Reads: RaftStorage.

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#confState };
  }

  firstIndex(): Index {
    return index(this.#truncated.index + 1);
  }

  lastIndex(): Index {
    return this.#lastIndex;
  }

  /** @throws RdbError RDB_DATA_CORRUPT when an entry is missing or damaged */
  entries(low: Index, high: Index, maxBytes: number): readonly Entry[] | StorageMiss {
    assert(low < high, "entries are asked for by a range that is not empty");
    if (low <= this.#truncated.index) {
      return "compacted";
    }
    if (high > this.#lastIndex + 1) {
      return "unavailable";
    }
    const entries: Entry[] = [];
    let bytes = 0;
    for (let position: number = low; position < high; position++) {
      const entry = this.#entry(position as Index);
      bytes += entry.data.length + ENTRY_HEADER_BYTES;
      if (bytes > maxBytes && entries.length > 0) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  /** @throws RdbError RDB_DATA_CORRUPT when the entry is missing or damaged */
  term(position: Index): Term | StorageMiss {
    if (position < this.#truncated.index) {
      return "compacted";
    }
    if (position > this.#lastIndex) {
      return "unavailable";
    }
    return position === this.#truncated.index ? this.#truncated.term : this.#entry(position).term;
  }

  snapshot(): Snapshot | StorageMiss {
    return this.#makeSnapshot();
  }

  /** Where the log ends; undefined when that entry cannot be read. */
  lastEntry(): { readonly index: Index; readonly term: Term } | undefined {
    try {
      const last = this.term(this.#lastIndex);
      return typeof last === "number" ? { index: this.#lastIndex, term: last } : undefined;
    } catch (error) {
      if (hasCode(error, "RDB_DATA_CORRUPT") || hasCode(error, "RDB_STORAGE_FAILED")) {
        return undefined;
      }
      throw error;
    }
  }

  // Mutations.

  /**
   * Appends entries that follow one another; those from the first one's index on are replaced, and a longer old
   * tail is deleted in the same part, so that it never comes back. Asks for sync.
   */
  append(part: WritePart, entries: readonly Entry[]): void {
    const first = entries[0];
    const last = entries.at(-1);
    if (first === undefined || last === undefined) {
      return;
    }
    assert(first.index <= this.#lastIndex + 1, "a log has no gap");
    assert(first.index > this.#truncated.index, "what is compacted is not appended again");
    for (const [position, entry] of entries.entries()) {
      assert(entry.index === first.index + position, "appended entries follow one another");
      part.put("raft_log", indexedKey(this.regionId, entry.index), encodeEntry(entry));
    }
    this.#deleteEntries(part, last.index + 1, this.#lastIndex);
    this.#lastIndex = last.index;
    this.#cache.append(this.regionId, entries);
    part.sync = true;
  }

  /** Asks for sync unless only the commit index moved: that rides with the next append. */
  setHardState(part: WritePart, state: HardState): void {
    part.put("raft_state", stateKey(this.regionId, stateKinds.hardState), encodeHardState(state));
    part.sync ||= state.term !== this.#hardState.term || state.vote !== this.#hardState.vote;
    this.#hardState = state;
  }

  /** In the part that applies the change: without sync, as the log can repeat it. */
  setConfState(part: WritePart, state: ConfState): void {
    part.put("raft_state", stateKey(this.regionId, stateKinds.confState), encodeConfState(state));
    this.#confState = state;
  }

  /**
   * Deletes the entries up to and with `position`, which is applied; at most {@link COMPACT_MAX_COUNT} of them.
   *
   * @returns the index that the log is now truncated at: less than `position` when there is more to do
   */
  compactTo(part: WritePart, position: Index): Index {
    assert(position <= this.#lastIndex, "a log is compacted up to an entry that it has");
    const target = index(Math.min(position, this.#truncated.index + COMPACT_MAX_COUNT));
    if (target <= this.#truncated.index) {
      return this.#truncated.index;
    }
    const truncated: TruncatedState = { index: target, term: this.#entry(target).term };
    this.#deleteEntries(part, this.#truncated.index + 1, target);
    part.put("raft_state", stateKey(this.regionId, stateKinds.truncated), encodeTruncatedState(truncated));
    this.#truncated = truncated;
    this.#cache.compactTo(this.regionId, target);
    return target;
  }

  /** Replaces the log by a snapshot's place in it. Asks for sync. */
  resetToSnapshot(
    part: WritePart,
    snapshot: { readonly index: Index; readonly term: Term; readonly confState: ConfState },
  ): void {
    this.#deleteEntries(part, this.#truncated.index + 1, this.#lastIndex);
    this.#cache.forget(this.regionId);
    this.#truncated = { index: snapshot.index, term: snapshot.term };
    this.#lastIndex = snapshot.index;
    part.put(
      "raft_state",
      stateKey(this.regionId, stateKinds.truncated),
      encodeTruncatedState(this.#truncated),
    );
    this.setHardState(part, {
      term: term(Math.max(this.#hardState.term, snapshot.term)),
      vote: this.#hardState.term < snapshot.term ? 0 : this.#hardState.vote,
      commit: index(Math.max(this.#hardState.commit, snapshot.index)),
    });
    this.setConfState(part, snapshot.confState);
    part.sync = true;
  }

  /** Removes everything of this Region's log and state. The store is not used afterwards. */
  destroy(part: WritePart): void {
    this.#deleteEntries(part, this.#truncated.index + 1, this.#lastIndex);
    for (const kind of [stateKinds.truncated, stateKinds.hardState, stateKinds.confState]) {
      part.delete("raft_state", stateKey(this.regionId, kind));
    }
    this.#cache.forget(this.regionId);
  }

  #deleteEntries(part: WritePart, low: number, lastIncluded: number): void {
    for (let position = low; position <= lastIncluded; position++) {
      part.delete("raft_log", indexedKey(this.regionId, position as Index));
    }
  }

  #entry(position: Index): Entry {
    const cached = this.#cache.get(this.regionId, position);
    if (cached !== undefined) {
      return cached;
    }
    const row = this.#engine.get("raft_log", indexedKey(this.regionId, position));
    return row === undefined
      ? refuseLog(this.regionId, `lacks entry ${position} of [${this.firstIndex()}, ${this.#lastIndex}]`)
      : decodeEntry(row, position);
  }
}

/** A greater term that was promised already stays, and a vote of it: given anew it could be given twice. */
function initialHardState({ index: commit, term: of, promised }: InitialRaftState): HardState {
  if (promised === undefined || promised.term < of) {
    return { term: of, vote: 0, commit };
  }
  assert(promised.commit <= commit, "an empty peer knows of no commit past the beginning of its log");
  return { term: promised.term, vote: promised.vote, commit };
}
