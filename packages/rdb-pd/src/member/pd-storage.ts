import { FULL_RANGE, MiB, type PeerId, RdbError, assert, index, regionId, term } from "@flaredb/rdb-base";
import { type ConfState, EMPTY_CONF_STATE, type Entry, type Ready, type Snapshot } from "@flaredb/rdb-raft";
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
import { decodeStateSnapshot, encodeStateSnapshot } from "../command/state-snapshot.ts";
import { pdLimits } from "../limits.ts";
import { type Founding, checkFounding, writeFounding } from "./founding.ts";

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
  readonly #engine: Engine;
  readonly #memberId: PeerId;
  #applied: { readonly index: number; readonly term: number };
  #state: DurableState;
  #hasIdent: boolean;
  #bytesSinceCut = 0;

  private constructor(engine: Engine, memberId: PeerId, state: DurableState, openLog: OpenLog) {
    this.#engine = engine;
    this.#memberId = memberId;
    this.#state = state;
    this.log = openLog(() => this.#makeSnapshot());
    this.#hasIdent = readIdentOf(engine, "PD") !== undefined;
    this.#applied = getApplyState(engine, PD_GROUP) ?? this.log.truncated;
  }

  /**
   * Reads what the folder holds; a new one gets the first state of its group.
   *
   * @throws RdbError RDB_DATA_FOREIGN when it is a Store's or another member's; RDB_CONFIG_INVALID when it was begun
   * with other first members, and knows of no cluster yet; RDB_DATA_CORRUPT; RDB_DATA_FORMAT
   */
  static async open(engine: Engine, founding: Founding): Promise<PdStorage> {
    const { memberId } = founding;
    const ident = readIdentOf(engine, "PD");
    if (ident !== undefined && ident.memberId !== memberId) {
      throw new RdbError(
        "RDB_DATA_FOREIGN",
        `the data folder is that of PD member ${ident.memberId}, this is member ${memberId}`,
      );
    }
    if (!RaftLogStore.exists(engine, PD_GROUP)) {
      await refuseForeignRows(engine);
      initialise(engine, founding);
    }
    checkFounding(engine, founding, ident !== undefined);
    const state = decodeState(await loadRows(engine));
    if (ident !== undefined && ident.clusterId !== state.cluster.clusterId) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `the data folder is marked as cluster ${ident.clusterId}, its rows are of cluster ${state.cluster.clusterId}`,
      );
    }
    let makeSnapshot: MakeSnapshot = () => "temporarily-unavailable";
    const log = await RaftLogStore.open(engine, {
      regionId: PD_GROUP,
      cache: new EntryCache(ENTRY_CACHE_BYTES),
      applied: getApplyState(engine, PD_GROUP)?.index ?? index(0),
      makeSnapshot: () => makeSnapshot(),
    });
    return new PdStorage(engine, memberId, state, (make) => {
      makeSnapshot = make;
      return log;
    });
  }

  /** Read back at start; changed by whoever applies the log. Another object after each snapshot that is taken over. */
  get state(): DurableState {
    return this.#state;
  }

  get appliedIndex(): number {
    return this.#applied.index;
  }

  get appliedTerm(): number {
    return this.#applied.term;
  }

  /**
   * Writes what a Ready asks to be durable, and calls once it is. A snapshot takes the place of the whole state.
   *
   * @throws RdbError RDB_DATA_FORMAT when the snapshot holds what this program does not know
   */
  persist(
    ready: Pick<Ready, "entries" | "hardState" | "mustSync" | "snapshot">,
    onDurable: () => void,
  ): void {
    const part = new WritePart();
    if (ready.snapshot !== undefined) {
      this.#restore(part, ready.snapshot);
    }
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
   *
   * @param confState what is in force after an entry that changes the group
   */
  writeApplied(entry: Entry, confState?: ConfState): void {
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
    this.#writePlace(part);
    if (confState !== undefined) {
      this.log.setConfState(part, confState);
    }
    this.#cutLog(part);
    this.#engine.submit(part);
  }

  /** Writes and syncs everything, and frees the folder. */
  close(): Promise<void> {
    return this.#engine.close();
  }

  /** Where the state stands, and whose folder this is once that is known. */
  #writePlace(part: WritePart): void {
    const applied = { index: index(this.#applied.index), term: term(this.#applied.term) };
    putApplyState(part, PD_GROUP, { ...applied, revision: 0, logTimeMs: 0 });
    const { clusterId } = this.#state.cluster;
    if (!this.#hasIdent && clusterId !== 0) {
      this.#hasIdent = true;
      writeIdent(part, { kind: "PD", clusterId, memberId: this.#memberId });
    }
  }

  #makeSnapshot(): Snapshot {
    const applied = { index: index(this.#applied.index), term: term(this.#applied.term) };
    return {
      metadata: { ...applied, confState: this.log.confState },
      data: encodeStateSnapshot(this.#state),
    };
  }

  #restore(part: WritePart, { metadata, data }: Snapshot): void {
    const { state, rows } = decodeStateSnapshot(data);
    for (const row of this.#state.allRows()) {
      part.delete("data", encodeRow(this.#state, row).key);
    }
    for (const { key, value } of rows) {
      part.put("data", key, value);
    }
    this.#state = state;
    this.#applied = { index: metadata.index, term: metadata.term };
    this.log.resetToSnapshot(part, metadata);
    this.#writePlace(part);
    this.#bytesSinceCut = 0;
  }

  /** A single member needs no entry that it has applied; others get what they lack from the last ones, or a snapshot. */
  #cutLog(part: WritePart): void {
    const { index: appliedIndex } = this.#applied;
    const { voters, learners } = this.log.confState;
    const keptCount = voters.length + learners.length > 1 ? pdLimits.logKeepCount : 0;
    const entryCount = appliedIndex - this.log.truncated.index;
    if (entryCount >= pdLimits.logCutAfterCount || this.#bytesSinceCut >= pdLimits.logCutAfterBytes) {
      if (entryCount > keptCount) {
        this.log.compactTo(part, index(appliedIndex - keptCount));
      }
      this.#bytesSinceCut = 0;
    }
  }
}

type MakeSnapshot = () => Snapshot | "temporarily-unavailable";
/** The log asks for snapshots of what is read after it. */
type OpenLog = (makeSnapshot: MakeSnapshot) => RaftLogStore;

function initialise(engine: Engine, founding: Founding): void {
  const { firstVoters } = founding;
  const part = new WritePart();
  writeFounding(part, founding);
  const begins = firstVoters.length > 0;
  RaftLogStore.initialise(part, {
    regionId: PD_GROUP,
    index: begins ? INITIAL_INDEX : index(0),
    term: begins ? INITIAL_TERM : term(0),
    confState: { ...EMPTY_CONF_STATE, voters: [...firstVoters] },
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
