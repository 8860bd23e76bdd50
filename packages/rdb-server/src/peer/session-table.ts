import { type Index, type RegionId, KiB, assert, index } from "@flaredb/rdb-base";
import { type Engine, decodeSessionRow, parseIndexedKey, regionKeyRange } from "@flaredb/rdb-storage";
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
  /** Each client once, with the sequences of its records. No sequence is below the floor. */
  readonly clients: readonly {
    readonly clientId: number;
    readonly floor: number;
    readonly sequences: readonly number[];
  }[];
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
      for (const { client, sequences } of row.parts) {
        if (client.latest === row) {
          // Whatever else it had is in older rows, which are gone.
          this.#clients.delete(client.clientId);
          continue;
        }
        for (const sequence of sequences) {
          client.forget(sequence, row);
        }
      }
      this.#holdCount -= row.holdCount;
      row.holdCount = 0;
      this.#remove(row);
    }
  }

  /** An entry recorded this. Its floors close what is below them. Log time and index rise from row to row. */
  add({ index: at, logTimeMs, sizeBytes, clients }: NewSessionRow): void {
    const row = new Row(at, logTimeMs, sizeBytes);
    for (const { clientId, floor, sequences } of clients) {
      let client = this.#clients.get(clientId);
      if (client === undefined) {
        client = new Client(clientId, row);
        this.#clients.set(clientId, client);
      } else {
        this.#raiseFloor(client, floor);
        this.#release(client.latest);
        client.latest = row;
      }
      client.floor = floor;
      for (const sequence of sequences) {
        client.record(sequence, row);
      }
      row.parts.push({ client, sequences });
      row.holdCount += 1 + sequences.length;
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

  #raiseFloor(client: Client, floor: number): void {
    client.closeBelow(floor, (row) => this.#release(row));
  }

  /** The row holds one thing less. */
  #release(row: Row): void {
    row.holdCount--;
    this.#holdCount--;
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
class Row {
  readonly index: Index;
  readonly logTimeMs: number;
  readonly sizeBytes: number;
  /** Whose records it has, open or not. */
  readonly parts: { readonly client: Client; readonly sequences: readonly number[] }[] = [];
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
  /** Open records. Nearly always one for a sequence: parts of a batch that were cut later have several. */
  readonly #rows = new Map<number, Row | readonly Row[]>();
  #openCount = 0;

  constructor(clientId: number, latest: Row) {
    this.clientId = clientId;
    this.latest = latest;
  }

  get openCount(): number {
    return this.#openCount;
  }

  hasOpen(from: number, to: number): boolean {
    if (to - from <= this.#rows.size) {
      for (let sequence = from; sequence < to; sequence++) {
        if (this.#rows.has(sequence)) {
          return true;
        }
      }
      return false;
    }
    for (const sequence of this.#rows.keys()) {
      if (sequence >= from && sequence < to) {
        return true;
      }
    }
    return false;
  }

  rowsOf(sequence: number): readonly Index[] | undefined {
    const found = this.#rows.get(sequence);
    return found === undefined ? undefined : asList(found).map((row) => row.index);
  }

  record(sequence: number, row: Row): void {
    this.#openCount++;
    const known = this.#rows.get(sequence);
    this.#rows.set(sequence, known === undefined ? row : [...asList(known), row]);
  }

  /** Forgets all records below the floor; `release` gets their rows, a row as often as it has one. */
  closeBelow(floor: number, release: (row: Row) => void): void {
    const close = (sequence: number): void => {
      const found = this.#rows.get(sequence);
      if (found === undefined) {
        return;
      }
      this.#rows.delete(sequence);
      for (const row of asList(found)) {
        this.#openCount--;
        release(row);
      }
    };
    if (floor - this.floor <= this.#rows.size) {
      for (let sequence = this.floor; sequence < floor; sequence++) {
        close(sequence);
      }
    } else {
      for (const sequence of this.#rows.keys()) {
        if (sequence < floor) {
          close(sequence);
        }
      }
    }
  }

  /** The row is over: its record of the sequence, if it is open, is forgotten. */
  forget(sequence: number, over: Row): void {
    const found = this.#rows.get(sequence);
    if (found === undefined) {
      return;
    }
    const known = asList(found);
    const left = known.filter((row) => row !== over);
    this.#openCount -= known.length - left.length;
    if (left.length === 0) {
      this.#rows.delete(sequence);
    } else {
      this.#rows.set(sequence, left);
    }
  }
}

function asList(rows: Row | readonly Row[]): readonly Row[] {
  return rows instanceof Row ? [rows] : rows;
}

function storedRow(at: number, value: Uint8Array): NewSessionRow {
  const { logTimeMs, clients, records } = decodeSessionRow(value);
  const sequences = clients.map((): number[] => []);
  for (const { client, sequence } of records) {
    sequences[client]?.push(sequence);
  }
  return {
    index: index(at),
    logTimeMs,
    sizeBytes: value.length,
    clients: clients.map((client, place) => ({ ...client, sequences: sequences[place] ?? [] })),
  };
}
