import { type Index, type RegionId, KiB, assert, index } from "@flaredb/rdb-base";
import { type Engine, decodeSessionRow, parseIndexedKey, regionKeyRange } from "@flaredb/rdb-storage";
import { type RecordPlace, type SequenceRun, SessionRuns, addSequence } from "./session-runs.ts";
import { isOver } from "./session-window.ts";

const LOAD_PAGE_MAX_COUNT = 256;
const LOAD_PAGE_MAX_BYTES = 512 * KiB;

/** What one entry recorded, without keys and answers: those stay on disk. */
export interface NewSessionRow {
  readonly index: Index;
  /** The Region's log time at the entry. */
  readonly logTimeMs: number;
  /** Of the row on disk. */
  readonly sizeBytes: number;
  /** Each client once, with the sequences of its records in their order. No sequence is below the floor. */
  readonly clients: readonly {
    readonly clientId: number;
    readonly floor: number;
    readonly runs: readonly SequenceRun[];
  }[];
}

/** A row as it lies in the column `session`. */
export interface StoredSessionRow {
  readonly index: Index;
  readonly value: Uint8Array;
}

/** A client that a Region remembers. */
export interface KnownClient {
  /** Its lowest open sequence, as far as was told. */
  readonly floor: number;
  /** Its open records. */
  readonly openCount: number;
  /** Whether any record is closed when the floor, told to be `from` already, rises to `to`. */
  hasOpen(from: number, to: number): boolean;
  /** Entries whose rows hold records of the sequence, oldest first; undefined: there are none. */
  rowsOf(sequence: number): readonly Index[] | undefined;
}

/**
 * What a Region remembers of the writes of its clients: for each client its floor, and in which rows its open writes
 * are recorded. A pure function of the log; a scan of the rows makes the same table again, since a row stays for as
 * long as it holds anything: a record that is open and not over, or the floor of a client of whom no later row tells.
 */
export class SessionTable {
  readonly #clients = new Map<number, Client>();
  #oldest: Row | undefined;
  #newest: Row | undefined;
  #holdCount = 0;
  #sizeBytes = 0;
  #removed: Index[] = [];
  readonly #releaseRow = (row: Row, count: number): void => this.#release(row, count);

  /** Reads the rows of a Region as they are now. @throws RdbError RDB_DATA_CORRUPT */
  static async load(engine: Engine, regionId: RegionId): Promise<SessionTable> {
    const table = new SessionTable();
    const cursor = engine.openCursor("session", regionKeyRange(regionId));
    try {
      for (let done = false; !done; ) {
        const page = await cursor.next(LOAD_PAGE_MAX_COUNT, LOAD_PAGE_MAX_BYTES);
        for (const { key, value } of page.rows) {
          table.add(storedRow(parseIndexedKey(key).index, value));
        }
        done = page.done;
      }
    } finally {
      cursor.close();
    }
    assert(table.#removed.length === 0, "a session row on disk holds something");
    return table;
  }

  /** The table of rows that were read already, in log order. They are all that a Region remembers. */
  static of(rows: readonly StoredSessionRow[]): SessionTable {
    const table = new SessionTable();
    for (const { index: at, value } of rows) {
      table.add(storedRow(at, value));
    }
    assert(table.#removed.length === 0, "a session row that is handed on holds something");
    return table;
  }

  /** The entries of which rows are kept, in log order. */
  rowIndexes(): Index[] {
    const indexes: Index[] = [];
    for (let row = this.#oldest; row !== undefined; row = row.newer) {
      indexes.push(row.index);
    }
    return indexes;
  }

  /** Records that are open, and clients: what is bounded by `sessions.maxCount`. */
  get count(): number {
    return this.#holdCount;
  }

  /** Of the rows on disk. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  client(clientId: number): KnownClient | undefined {
    return this.#clients.get(clientId);
  }

  /** Whether the next entry with this log time lets go of something. */
  hasOver(logTimeMs: number): boolean {
    return this.#oldest !== undefined && isOver(this.#oldest.logTimeMs, logTimeMs);
  }

  /** Lets go of the rows that are over at this log time, oldest first, at most so many. */
  expire(logTimeMs: number, maxCount: number): void {
    for (let count = 0; count < maxCount && this.hasOver(logTimeMs); count++) {
      const row = this.#oldest as Row;
      for (const client of row.clients) {
        if (client.latest === row) {
          // Whatever else it had is in older rows, which are gone.
          this.#clients.delete(client.clientId);
        } else {
          client.runs.forgetRun(row);
        }
      }
      for (const { runs, sequence } of row.late) {
        runs.forgetLate(sequence);
      }
      this.#holdCount -= row.holdCount;
      row.holdCount = 0;
      this.#remove(row);
    }
  }

  /** An entry recorded this. Its floors close what is below them. Log time and index rise from row to row. */
  add({ index: at, logTimeMs, sizeBytes, clients }: NewSessionRow): void {
    const row = new Row(at, logTimeMs, sizeBytes);
    for (const { clientId, floor, runs } of clients) {
      let client = this.#clients.get(clientId);
      if (client === undefined) {
        client = new Client(clientId, row);
        this.#clients.set(clientId, client);
      } else {
        client.runs.closeBelow(floor, this.#releaseRow);
        this.#release(client.latest, 1);
        client.latest = row;
      }
      client.floor = floor;
      row.clients.push(client);
      row.holdCount++;
      for (const run of runs) {
        client.runs.record(run, row);
        row.holdCount += run.count;
      }
    }
    this.#holdCount += row.holdCount;
    this.#sizeBytes += sizeBytes;
    this.#append(row);
  }

  /** The rows that hold nothing any more since the last call; the same part deletes them. */
  takeRemoved(): readonly Index[] {
    const removed = this.#removed;
    if (removed.length > 0) {
      this.#removed = [];
    }
    return removed;
  }

  /** The row holds so many things less. */
  #release(row: Row, count: number): void {
    row.holdCount -= count;
    this.#holdCount -= count;
    if (row.holdCount === 0) {
      this.#remove(row);
    }
  }

  #append(row: Row): void {
    assert(this.#newest === undefined || this.#newest.index < row.index, "session rows come in log order");
    row.older = this.#newest;
    if (this.#newest === undefined) {
      this.#oldest = row;
    } else {
      this.#newest.newer = row;
    }
    this.#newest = row;
  }

  #remove(row: Row): void {
    if (row.older === undefined) {
      this.#oldest = row.newer;
    } else {
      row.older.newer = row.newer;
    }
    if (row.newer === undefined) {
      this.#newest = row.older;
    } else {
      row.newer.older = row.older;
    }
    this.#sizeBytes -= row.sizeBytes;
    this.#removed.push(row.index);
  }
}

/** A row on disk as the table knows it, in a list from the oldest to the newest. */
class Row implements RecordPlace {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly sizeBytes: number;
  /** Whose records it has, open or not. */
  readonly clients: Client[] = [];
  readonly late: RecordPlace["late"] = [];
  /** Its open records, and the clients of whom it is the latest row. */
  holdCount = 0;
  older: Row | undefined;
  newer: Row | undefined;

  constructor(at: Index, logTimeMs: number, sizeBytes: number) {
    this.index = at;
    this.logTimeMs = logTimeMs;
    this.sizeBytes = sizeBytes;
  }
}

class Client implements KnownClient {
  readonly clientId: number;
  floor = 0;
  /** The newest row that tells of it. */
  latest: Row;
  readonly runs = new SessionRuns<Row>();

  constructor(clientId: number, latest: Row) {
    this.clientId = clientId;
    this.latest = latest;
  }

  get openCount(): number {
    return this.runs.openCount;
  }

  hasOpen(from: number, to: number): boolean {
    return this.runs.hasOpen(from, to);
  }

  rowsOf(sequence: number): readonly Index[] | undefined {
    return this.runs.rowsOf(sequence);
  }
}

function storedRow(at: number, value: Uint8Array): NewSessionRow {
  const { logTimeMs, clients, records } = decodeSessionRow(value);
  const runs = clients.map((): { first: number; count: number }[] => []);
  for (const { client, sequence } of records) {
    addSequence(runs[client] ?? [], sequence);
  }
  return {
    index: index(at),
    logTimeMs,
    sizeBytes: value.length,
    clients: clients.map((client, place) => ({ ...client, runs: runs[place] ?? [] })),
  };
}
