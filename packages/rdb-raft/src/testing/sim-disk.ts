import type { Index } from "@flaredb/rdb-base";
import { MemoryStorage } from "../memory-storage.ts";
import type { ConfState, Entry, HardState, Snapshot } from "../messages.ts";

/** One thing that a driver writes: any of its parts may be missing. */
export interface DiskWrite {
  readonly hardState?: HardState | undefined;
  readonly snapshot?: Snapshot | undefined;
  readonly entries: readonly Entry[];
}

/**
 * A disk that can lose what was not synced. Writes are visible at once; a crash keeps those that were synced and any
 * first part of the others, as a write-ahead log does.
 */
export class SimDisk {
  /** What the core reads. */
  storage: MemoryStorage;
  #durable: Durable;
  #unsynced: DiskWrite[] = [];

  constructor(confState: ConfState) {
    const metadata = { index: 1 as Index, term: 1 as Snapshot["metadata"]["term"], confState };
    this.#durable = {
      hardState: { term: metadata.term, vote: 0, commit: metadata.index },
      snapshot: { metadata, data: new Uint8Array(0) },
      entries: [],
    };
    this.storage = load(this.#durable);
  }

  get snapshot(): Snapshot {
    return this.#durable.snapshot;
  }

  /** Writes; durable before this returns if `sync`, and with it everything that was written before. */
  write(write: DiskWrite, sync: boolean): void {
    writeTo(this.storage, write);
    this.#unsynced.push(write);
    if (sync) {
      this.sync();
    }
  }

  sync(): void {
    this.#keep(this.#unsynced.length);
    this.#unsynced = [];
  }

  /** Makes a snapshot of the state machine and drops the log up to it. Synced. */
  compact(snapshot: Snapshot): void {
    this.sync();
    const { index, confState } = snapshot.metadata;
    this.storage.createSnapshot(index, confState, snapshot.data);
    this.storage.compact(index);
    const { hardState, entries } = this.#durable;
    this.#durable = { hardState, snapshot, entries: entries.filter((entry) => entry.index > index) };
  }

  /** Crashes: of the unsynced writes the first `kept` survive. */
  crash(kept: number): void {
    this.#keep(Math.min(kept, this.#unsynced.length));
    this.#unsynced = [];
    this.storage = load(this.#durable);
  }

  get unsyncedCount(): number {
    return this.#unsynced.length;
  }

  #keep(count: number): void {
    for (const { hardState, snapshot, entries } of this.#unsynced.slice(0, count)) {
      const before = snapshot === undefined ? this.#durable.entries : [];
      this.#durable = {
        hardState: hardState ?? this.#durable.hardState,
        snapshot: snapshot ?? this.#durable.snapshot,
        entries: appended(before, entries),
      };
    }
  }
}

interface Durable {
  readonly hardState: HardState;
  readonly snapshot: Snapshot;
  readonly entries: readonly Entry[];
}

/** A log with entries in place of everything from the first one's index on. */
export function appended(log: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  const [first] = entries;
  return first === undefined ? log : [...log.filter((entry) => entry.index < first.index), ...entries];
}

function writeTo(storage: MemoryStorage, { hardState, snapshot, entries }: DiskWrite): void {
  if (hardState !== undefined) {
    storage.setHardState(hardState);
  }
  if (snapshot !== undefined) {
    storage.applySnapshot(snapshot);
  }
  storage.append(entries);
}

/** A storage as a restart finds it. A snapshot proves that everything up to it is committed. */
function load({ hardState, snapshot, entries }: Durable): MemoryStorage {
  const storage = new MemoryStorage();
  const commit = Math.max(hardState.commit, snapshot.metadata.index) as Index;
  writeTo(storage, { hardState: { ...hardState, commit }, snapshot, entries });
  return storage;
}
