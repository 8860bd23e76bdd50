import { type Index, KiB, assert, index } from "@flaredb/rdb-base";
import { type SessionRecord, SessionRowWriter, decodeSessionRow } from "@flaredb/rdb-storage";
import type { SessionTable, StoredSessionRow } from "../session-table.ts";

/** What one of the two Regions remembers of clients' writes. */
export interface SessionMemory {
  readonly rows: readonly StoredSessionRow[];
  /** Made of the rows: knows which of their records are open. */
  readonly table: Pick<SessionTable, "client">;
}

/** Where the joined rows stand in the target's log. */
export interface JoinPlace {
  /** Of the entry that merges: the last joined row gets it, the others those before. */
  readonly index: Index;
  /** The joined Region's. */
  readonly logTimeMs: number;
}

interface OpenRecord {
  readonly clientId: number;
  readonly record: SessionRecord;
  readonly sizeBytes: number;
}

/** A joined row gets about this much, more only where the target's log is too short for so many rows. */
const ROW_USUAL_BYTES = 64 * KiB;
/** Most rows that the records of two Regions are packed into. */
const ROWS_MAX_COUNT = 64;
/** About what a record takes beside its keys and details. */
const RECORD_HEAD_BYTES = 32;

/**
 * Joins what two Regions remember, when one takes the other (ADR 11): every open record of both, in new rows that stand
 * where the target's stood. A pure function of the two, so every peer makes the same rows.
 *
 * Floors are not taken over. A client has one for each Region, and may have a write open in the one Region whose
 * sequence is below its floor in the other: either floor could refuse a write that nobody has decided yet. To forget
 * them applies nothing twice: what they closed can only come in a message of an epoch from before the merge.
 *
 * All rows have the joined Region's log time. A record stays longer by that, which no client can tell: a write that is
 * too old is refused before its record is looked for.
 */
export function joinSessions(memories: readonly SessionMemory[], place: JoinPlace): StoredSessionRow[] {
  const records = memories.flatMap(openRecords).toSorted(byClientAndSequence);
  const groups = packed(records, Math.min(ROWS_MAX_COUNT, place.index - 1));
  return groups.map((group, at) => ({
    index: index(place.index - groups.length + 1 + at),
    value: rowOf(group, place.logTimeMs),
  }));
}

function openRecords({ rows, table }: SessionMemory): OpenRecord[] {
  return rows.flatMap(({ value }) => {
    const { clients, records } = decodeSessionRow(value);
    return records.flatMap((record): OpenRecord[] => {
      const clientId = clients[record.client]?.clientId;
      assert(clientId !== undefined, "a record names a client of its row");
      const known = table.client(clientId);
      return known === undefined || record.sequence < known.floor
        ? []
        : [{ clientId, record, sizeBytes: sizeBytesOf(record) }];
    });
  });
}

/** Stable: of one sequence those of the target come first, and older ones before younger ones. */
function byClientAndSequence(a: OpenRecord, b: OpenRecord): number {
  return a.clientId - b.clientId || a.record.sequence - b.record.sequence;
}

/** Into at most so many groups of about equal size, none of them empty. */
function packed(records: readonly OpenRecord[], maxCount: number): OpenRecord[][] {
  assert(maxCount > 0, "a Region that merges has a log of more than one entry");
  const totalBytes = records.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const groupBytes = Math.max(ROW_USUAL_BYTES, Math.ceil(totalBytes / maxCount));
  const groups: OpenRecord[][] = [];
  let before = 0;
  let groupEnd = 0;
  for (const record of records) {
    if (before >= groupEnd) {
      groups.push([]);
      groupEnd = (Math.floor(before / groupBytes) + 1) * groupBytes;
    }
    groups.at(-1)?.push(record);
    before += record.sizeBytes;
  }
  return groups;
}

function rowOf(records: readonly OpenRecord[], logTimeMs: number): Uint8Array {
  const places = new Map<number, number>();
  for (const { clientId } of records) {
    places.set(clientId, places.get(clientId) ?? places.size);
  }
  const clients = [...places.keys()].map((clientId) => ({ clientId, floor: 0 }));
  const baseRevision = records.reduce((least, { record }) => Math.min(least, record.revision), Infinity);
  const writer = new SessionRowWriter({ logTimeMs, baseRevision, clients }, records.length);
  for (const { clientId, record } of records) {
    writer.add({ ...record, client: places.get(clientId) as number });
  }
  return writer.finish();
}

function sizeBytesOf({ firstKey, lastKey, keyHashes, details }: SessionRecord): number {
  return RECORD_HEAD_BYTES + firstKey.length + lastKey.length + keyHashes.length + details.length;
}
