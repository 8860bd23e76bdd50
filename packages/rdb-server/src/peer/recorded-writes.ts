import type { Index } from "@flaredb/rdb-base";
import type { SessionRecord, SessionRow } from "@flaredb/rdb-storage";

/** Past so many records of rows that were read, all are let go: what is looked for again is read anew. */
const KEPT_MAX_COUNT = 50_000;
const NONE: readonly SessionRecord[] = [];

/** Of one row: by client, then by sequence. */
type RowRecords = ReadonlyMap<number, ReadonlyMap<number, readonly SessionRecord[]>>;

/**
 * The records that the retries of one entry are answered from. After a leader was lost, thousands of writes come again
 * together, and were recorded together: each row is read once, not once for each of its writes.
 */
export class RecordedWrites {
  readonly #readRow: (at: Index) => SessionRow;
  readonly #rows = new Map<Index, RowRecords>();
  #keptCount = 0;

  /** @param readRow of the column `session` */
  constructor(readRow: (at: Index) => SessionRow) {
    this.#readRow = readRow;
  }

  /**
   * What the row of an entry tells of a client's sequence, in its order.
   *
   * @throws RdbError RDB_DATA_CORRUPT when the row cannot be read
   */
  of(at: Index, clientId: number, sequence: number): readonly SessionRecord[] {
    const row = this.#rows.get(at) ?? this.#read(at);
    return row.get(clientId)?.get(sequence) ?? NONE;
  }

  #read(at: Index): RowRecords {
    const row = this.#readRow(at);
    this.#keptCount += row.records.length;
    if (this.#keptCount > KEPT_MAX_COUNT) {
      this.#rows.clear();
      this.#keptCount = row.records.length;
    }
    const records = recordsOf(row);
    this.#rows.set(at, records);
    return records;
  }
}

function recordsOf({ clients, records }: SessionRow): RowRecords {
  const places = clients.map(() => new Map<number, SessionRecord[]>());
  for (const record of records) {
    const ofClient = places[record.client];
    const known = ofClient?.get(record.sequence);
    if (known === undefined) {
      ofClient?.set(record.sequence, [record]);
    } else {
      known.push(record);
    }
  }
  return new Map(clients.map(({ clientId }, place) => [clientId, places[place] ?? new Map()]));
}
