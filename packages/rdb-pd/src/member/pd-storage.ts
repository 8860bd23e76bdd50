import { FULL_RANGE, MiB, type PeerId, RdbError, assert, index, regionId, term } from "@flaredb/rdb-base";
import type { Entry, Ready } from "@flaredb/rdb-raft";
import {
  type Engine,
  EntryCache,
  RaftLogStore,
  type Row,
  WritePart,
  getApplyState,
  putApplyState,
  readIdentOf,
  writeIdent,
} from "@flaredb/rdb-storage";
import type { DurableState } from "../cluster/durable-state.ts";
import { decodeState, encodeRow } from "../command/state-rows.ts";
import { pdLimits } from "../limits.ts";

/** PD's own Raft group in its own database; no Region of the cluster lies there. */
const PD_GROUP = regionId(1);
/** Where the group's log begins: as an initial Region's does. */
const INITIAL_INDEX = index(5);
const INITIAL_TERM = term(5);
const ENTRY_CACHE_BYTES = 4 * MiB;
const LOAD_PAGE_MAX_COUNT = 1_000;
const LOAD_PAGE_MAX_BYTES = 1 * MiB;

/**
 * What a PD member has on disk: its log, and the rows of what it applied. A row's change and the applied index are in
 * one part, so each command is applied exactly once, and the log is cut behind what the rows hold.
 */
export class PdStorage {
  readonly log: RaftLogStore;
  /** Read back at start; changed by whoever applies the log. */
  readonly state: DurableState;
  readonly #engine: Engine;
  readonly #memberId: PeerId;
  #applied: { readonly index: number; readonly term: number };
  #hasIdent: boolean;
  #bytesSinceCut = 0;

  private constructor(engine: Engine, memberId: PeerId, log: RaftLogStore, state: DurableState) {
    this.#engine = engine;
    this.#memberId = memberId;
    this.log = log;
    this.state = state;
    this.#hasIdent = readIdentOf(engine, "PD") !== undefined;
    this.#applied = getApplyState(engine, PD_GROUP) ?? { index: INITIAL_INDEX, term: INITIAL_TERM };
  }

  /**
   * Reads what the folder holds; a new one gets the first state of a group of one member.
   *
   * @throws RdbError RDB_DATA_FOREIGN when it is a Store's or another member's; RDB_DATA_CORRUPT; RDB_DATA_FORMAT
   */
  static async open(engine: Engine, memberId: PeerId): Promise<PdStorage> {
    const ident = readIdentOf(engine, "PD");
    if (ident !== undefined && ident.memberId !== memberId) {
      throw new RdbError(
        "RDB_DATA_FOREIGN",
        `the data folder is that of PD member ${ident.memberId}, this is member ${memberId}`,
      );
    }
    if (!RaftLogStore.exists(engine, PD_GROUP)) {
      await refuseForeignRows(engine);
      initialise(engine, memberId);
    }
    const log = await RaftLogStore.open(engine, {
      regionId: PD_GROUP,
      cache: new EntryCache(ENTRY_CACHE_BYTES),
      applied: getApplyState(engine, PD_GROUP)?.index ?? INITIAL_INDEX,
      makeSnapshot: () => "temporarily-unavailable",
    });
    const state = decodeState(await loadRows(engine));
    if (ident !== undefined && ident.clusterId !== state.cluster.clusterId) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `the data folder is marked as cluster ${ident.clusterId}, its rows are of cluster ${state.cluster.clusterId}`,
      );
    }
    return new PdStorage(engine, memberId, log, state);
  }

  get appliedIndex(): number {
    return this.#applied.index;
  }

  get appliedTerm(): number {
    return this.#applied.term;
  }

  /** Writes what a Ready asks to be durable, and calls once it is. */
  persist(ready: Pick<Ready, "entries" | "hardState" | "mustSync">, onDurable: () => void): void {
    const part = new WritePart();
    this.log.append(part, ready.entries);
    if (ready.hardState !== undefined) {
      this.log.setHardState(part, ready.hardState);
    }
    part.sync ||= ready.mustSync;
    this.#bytesSinceCut += part.sizeBytes;
    this.#engine.submit(part, onDurable);
  }

  /**
   * Writes the rows that the entry's command changed, and that it was applied. Not synced: the log can repeat it.
   * Cuts the log when it grew enough.
   */
  writeApplied(entry: Entry): void {
    assert(entry.index === this.#applied.index + 1, "entries are applied in order, without gaps");
    this.#applied = { index: entry.index, term: entry.term };
    const part = new WritePart();
    for (const changed of this.state.takeChangedRows()) {
      const { key, value } = encodeRow(this.state, changed);
      if (value === undefined) {
        part.delete("data", key);
      } else {
        part.put("data", key, value);
      }
    }
    putApplyState(part, PD_GROUP, { index: entry.index, term: entry.term, revision: 0, logTimeMs: 0 });
    if (!this.#hasIdent && this.state.cluster.clusterId !== 0) {
      this.#hasIdent = true;
      writeIdent(part, { kind: "PD", clusterId: this.state.cluster.clusterId, memberId: this.#memberId });
    }
    this.#cutLog(part);
    this.#engine.submit(part);
  }

  /** Writes and syncs everything, and frees the folder. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  /** A single member needs no entry that it has applied; with more members the slowest one will decide. */
  #cutLog(part: WritePart): void {
    const { index: appliedIndex } = this.#applied;
    const entryCount = appliedIndex - this.log.truncated.index;
    if (entryCount >= pdLimits.logCutAfterCount || this.#bytesSinceCut >= pdLimits.logCutAfterBytes) {
      this.log.compactTo(part, index(appliedIndex));
      this.#bytesSinceCut = 0;
    }
  }
}

function initialise(engine: Engine, memberId: PeerId): void {
  const part = new WritePart();
  RaftLogStore.initialise(part, {
    regionId: PD_GROUP,
    index: INITIAL_INDEX,
    term: INITIAL_TERM,
    confState: { voters: [memberId], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
  });
  engine.submit(part);
}

/** A folder without PD's log must be empty. @throws RdbError RDB_DATA_FOREIGN */
async function refuseForeignRows(engine: Engine): Promise<void> {
  for (const column of ["region", "data"] as const) {
    const cursor = engine.openCursor(column, FULL_RANGE, { keysOnly: true });
    try {
      const { rows } = await cursor.next(1, 1);
      if (rows.length > 0) {
        throw new RdbError("RDB_DATA_FOREIGN", "the data folder holds data of another process, not a PD's");
      }
    } finally {
      cursor.close();
    }
  }
}

async function loadRows(engine: Engine): Promise<Row[]> {
  const loaded: Row[] = [];
  const cursor = engine.openCursor("data", FULL_RANGE);
  try {
    for (;;) {
      const { rows, done } = await cursor.next(LOAD_PAGE_MAX_COUNT, LOAD_PAGE_MAX_BYTES);
      loaded.push(...rows);
      if (done) {
        return loaded;
      }
    }
  } finally {
    cursor.close();
  }
}
