import { type Index, assert } from "@flaredb/rdb-base";
import type { ClientSession, WriteRun } from "@flaredb/rdb-proto";
import { type SessionRecord, type SessionRow, SessionRowWriter } from "@flaredb/rdb-storage";
import type { WriteResult } from "./evaluate-write.ts";
import { answerOf, detailsOf, kindOf } from "./recorded-answer.ts";
import { RecordedWrites } from "./recorded-writes.ts";
import { invalidArgument, requestExpired, sequenceClosed } from "./responses.ts";
import type { KnownClient, SessionTable } from "./session-table.ts";
import { addSequence } from "./session-runs.ts";
import { isInWindow } from "./session-window.ts";
import { type Write, spanCovers, spanOf } from "./write-span.ts";

/** What becomes of a write: carried out and recorded, answered without, or answered as another of its entry is. */
export type Verdict =
  | { readonly kind: "record" }
  | { readonly kind: "answer"; readonly result: WriteResult }
  | { readonly kind: "repeat"; readonly ofPlace: number };

/** The entry, as far as its writes' identities are concerned. */
export interface EntryOptions {
  readonly table: SessionTable;
  /** The entry's, by the places that identities name. */
  readonly sessions: readonly ClientSession[];
  /** One after the other they name its writes. */
  readonly runs: readonly WriteRun[];
  /** The log time that the entry carries: what issue times are given against. */
  readonly entryLogTimeMs: number;
  /** The Region's log time: no less than that of any entry before. */
  readonly logTimeMs: number;
  /** A row of the column `session`. */
  readRow(at: Index): SessionRow;
}

/** Most different writes of one client that may share a sequence in a Region: parts of one batch, cut by splits. */
export const PARTS_MAX_COUNT = 64;

const RECORD: Verdict = { kind: "record" };

interface EntryClient {
  readonly clientId: number;
  readonly floor: number;
  readonly known: KnownClient | undefined;
  /** Of the writes of this entry that are recorded. */
  readonly runs: { readonly first: number; count: number }[];
  maxSequence: number;
  /** Place among the clients of the row. */
  rowPlace: number;
}

interface Decided {
  readonly place: number;
  readonly client: EntryClient;
  readonly sequence: number;
  readonly write: Write;
}

/**
 * Decides for one entry what becomes of each write that has an identity, and makes the entry's row of what they
 * answered. First all are decided, in order, then those that are to be recorded are carried out, in order.
 */
export class EntrySessions {
  readonly #options: EntryOptions;
  readonly #clients: readonly EntryClient[];
  readonly #recorded: Decided[] = [];
  /** Recorded writes by client and sequence; made when a sequence does not rise, which is rare. */
  #bySequence: Map<EntryClient, Map<number, Decided[]>> | undefined;
  /** Made when a write comes again, which is rare. */
  #recordedBefore: RecordedWrites | undefined;
  #writer: SessionRowWriter | undefined;
  #nextRecord = 0;
  /** The run of the write that is decided, and the place of its first write. */
  #run = 0;
  #runStart = 0;

  constructor(options: EntryOptions) {
    this.#options = options;
    this.#clients = options.sessions.map(({ clientId, lowestOpenSequence }) => {
      const known = options.table.client(Number(clientId));
      return {
        clientId: Number(clientId),
        floor: Math.max(lowestOpenSequence, known?.floor ?? 0),
        known,
        runs: [],
        maxSequence: 0,
        rowPlace: 0,
      };
    });
  }

  /**
   * @param place of the write in the entry; rises from call to call
   * @returns undefined when the write has no identity
   * @throws RdbError RDB_DATA_CORRUPT when a row cannot be read
   */
  decide(place: number, write: Write): Verdict | undefined {
    const run = this.#runAt(place);
    if (run === undefined || run.firstSequence === 0) {
      return undefined;
    }
    const sequence = run.firstSequence + place - this.#runStart;
    const client = this.#clients[run.session];
    assert(client !== undefined, "an identity names a session of its entry");
    if (sequence < client.floor) {
      return refusal(sequenceClosed(sequence, client.floor));
    }
    const issuedAtMs = this.#options.entryLogTimeMs + run.issuedOffsetMs;
    if (!isInWindow(issuedAtMs, this.#options.logTimeMs)) {
      return refusal(requestExpired(issuedAtMs, this.#options.logTimeMs));
    }
    const rows = client.known?.rowsOf(sequence);
    if (rows === undefined && sequence > client.maxSequence) {
      this.#toBeRecorded({ place, client, sequence, write });
      return RECORD;
    }
    return this.#decideAgain({ place, client, sequence, write }, rows ?? []);
  }

  /** Nothing, when no write is to be recorded. */
  get hasRecords(): boolean {
    return this.#recorded.length > 0;
  }

  /**
   * The next of the writes that are to be recorded was carried out.
   *
   * @param revisions the Region's, before the entry and after the write
   */
  record(result: WriteResult, revisions: { readonly before: number; readonly after: number }): void {
    const decided = this.#recorded[this.#nextRecord++];
    assert(decided !== undefined, "no more writes are recorded than were decided to be");
    this.#writer ??= this.#startRow(revisions.before);
    const { firstKey, lastKey, keyHashes } = spanOf(decided.write);
    this.#writer.add({
      client: decided.client.rowPlace,
      sequence: decided.sequence,
      kind: kindOf(decided.write),
      revision: revisions.after,
      firstKey,
      lastKey,
      keyHashes,
      details: detailsOf(result, this.#writer.sizeBytes),
    });
  }

  /** All are carried out: the table learns of them. @returns the row, or undefined when nothing was recorded */
  finish(at: Index): Uint8Array | undefined {
    assert(this.#nextRecord === this.#recorded.length, "every write that was to be recorded was");
    const row = this.#writer?.finish();
    if (row !== undefined) {
      const { table, logTimeMs } = this.#options;
      table.add({ index: at, logTimeMs, sizeBytes: row.length, clients: this.#recordedClients() });
    }
    return row;
  }

  #runAt(place: number): WriteRun | undefined {
    const { runs } = this.#options;
    let run = runs[this.#run];
    while (run !== undefined && place >= this.#runStart + run.count) {
      this.#runStart += run.count;
      run = runs[++this.#run];
    }
    return run;
  }

  #recordedClients(): EntryClient[] {
    return this.#clients.filter((client) => client.runs.length > 0);
  }

  #startRow(baseRevision: number): SessionRowWriter {
    const clients = this.#recordedClients();
    for (const [place, client] of clients.entries()) {
      client.rowPlace = place;
    }
    const head = { logTimeMs: this.#options.logTimeMs, baseRevision, clients };
    return new SessionRowWriter(head, this.#recorded.length);
  }

  #toBeRecorded(decided: Decided): void {
    const { client, sequence } = decided;
    addSequence(client.runs, sequence);
    client.maxSequence = Math.max(client.maxSequence, sequence);
    this.#recorded.push(decided);
    if (this.#bySequence !== undefined) {
      note(this.#bySequence, decided);
    }
  }

  /** Its sequence was met before, in rows or maybe in this entry. */
  #decideAgain(decided: Decided, rows: readonly Index[]): Verdict {
    const { client, sequence, write } = decided;
    const record = this.#findRecord(decided, rows);
    if (record !== undefined) {
      return { kind: "answer", result: answerOf(record) };
    }
    const inEntry = this.#inEntry(client, sequence);
    const first = inEntry.find(
      (other) => other.write.case === write.case && spanCovers(spanOf(other.write), write),
    );
    if (first !== undefined) {
      return { kind: "repeat", ofPlace: first.place };
    }
    if (rows.length + inEntry.length >= PARTS_MAX_COUNT) {
      const message = `sequence ${sequence} is that of ${PARTS_MAX_COUNT} different writes already`;
      return refusal(invalidArgument("sequence", message));
    }
    this.#toBeRecorded(decided);
    return RECORD;
  }

  /** The record of a try of this very write, if there is one. */
  #findRecord({ client, sequence, write }: Decided, rows: readonly Index[]): SessionRecord | undefined {
    const kind = kindOf(write);
    this.#recordedBefore ??= new RecordedWrites((at) => this.#options.readRow(at));
    // A row is named once for each of its records of the sequence.
    for (const at of new Set(rows)) {
      const records = this.#recordedBefore.of(at, client.clientId, sequence);
      const found = records.find((record) => record.kind === kind && spanCovers(record, write));
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }

  #inEntry(client: EntryClient, sequence: number): readonly Decided[] {
    if (this.#bySequence === undefined) {
      this.#bySequence = new Map();
      for (const decided of this.#recorded) {
        note(this.#bySequence, decided);
      }
    }
    return this.#bySequence.get(client)?.get(sequence) ?? [];
  }
}

function note(bySequence: Map<EntryClient, Map<number, Decided[]>>, decided: Decided): void {
  const { client, sequence } = decided;
  let ofClient = bySequence.get(client);
  if (ofClient === undefined) {
    ofClient = new Map();
    bySequence.set(client, ofClient);
  }
  const known = ofClient.get(sequence);
  if (known === undefined) {
    ofClient.set(sequence, [decided]);
  } else {
    known.push(decided);
  }
}

function refusal(error: Extract<WriteResult, { case: "error" }>["value"]): Verdict {
  return { kind: "answer", result: { case: "error", value: error } };
}
