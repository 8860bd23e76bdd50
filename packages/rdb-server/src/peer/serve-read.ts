import {
  EMPTY_KEY,
  type KeyRange,
  MiB,
  RdbError,
  type Region,
  compareKeys,
  hasCode,
  intersectRanges,
  limits,
} from "@flaredb/rdb-base";
import type { KvRequest, KvResponse, RegionError, Row, ScanRequest } from "@flaredb/rdb-proto";
import { type Cursor, type Engine, decodeValue } from "@flaredb/rdb-storage";
import { dataCorrupt, errorResponse, invalidArgument, response, serverIsBusy } from "./responses.ts";

/** What a read may look at, and how it notices that the ground moved while it was at the disk. */
export interface ReadScope {
  readonly engine: Engine;
  /** The Region now: another epoch, or undefined, once the peer changed or left. */
  region(): Region | undefined;
  /** The Region's revision now. */
  revision(): number;
  /** How often all rows were replaced by a snapshot's: while they are, some are missing. */
  installCount(): number;
  /** So many keys were looked up or listed, of which rows of so many bytes were found. */
  served(keys: number, bytes: number): void;
  /** The refusal of what was asked of another version of the Region. */
  epochNotMatch(version: number): RegionError;
  /** Rows could not be read, for whatever reason. */
  readFailed(error: unknown): void;
}

/** Where a read began. */
interface Ground {
  readonly region: Region | undefined;
  readonly installCount: number;
}

type Result = KvResponse["result"];
type GetRead = {
  readonly requestId: number;
  readonly key: Uint8Array;
  readonly respond: (response: KvResponse) => void;
};

/** Suggested pause for a client whose read failed for another reason than its rows. */
const READ_FAILED_BACKOFF_MS = 200;
/** Rows that a scan reads ahead in one step. */
const SCAN_STEP_MAX_COUNT = 1_000;
/** A page of keys alone ends once so many bytes of rows were read for it, as their versions stand in front of the values. */
const SCAN_READ_MAX_BYTES = 24 * MiB;

/**
 * Serves point reads, which may be served now, in one read of the engine off the loop. Each value is the one at
 * some moment between the call and the answer, which is all that linearizability asks of single keys. A version says
 * since when; a key that is not found does not, so it is looked for again when there was a write in between. Where values
 * are too much for one read, the ground of the first one counts for all: the peer may have gone before the next.
 */
export async function serveGets(scope: ReadScope, gets: readonly GetRead[]): Promise<void> {
  const ground = groundOf(scope);
  for (let left = gets; left.length > 0; ) {
    left = left.slice(await serveFirstGets(scope, left, ground));
  }
}

/** @returns how many were answered: those whose values are not too much for one read */
async function serveFirstGets(scope: ReadScope, gets: readonly GetRead[], ground: Ground): Promise<number> {
  const revision = scope.revision();
  let values: (Uint8Array | undefined)[];
  try {
    values = await scope.engine.getMany(
      "data",
      gets.map((get) => get.key),
    );
  } catch (error) {
    const refused = readRefusal(scope, error);
    for (const get of gets) {
      get.respond(errorResponse(get.requestId, refused));
    }
    return gets.length;
  }
  const moved = movedError(scope, ground);
  scope.served(values.length, sizeOf(values));
  for (const [place, value] of values.entries()) {
    const get = gets[place] as GetRead;
    get.respond(
      moved === undefined
        ? response(get.requestId, gotten(scope, get.key, value, revision))
        : errorResponse(get.requestId, moved),
    );
  }
  return values.length;
}

/** @param before the revision when the read began */
function gotten(scope: ReadScope, key: Uint8Array, found: Uint8Array | undefined, before: number): Result {
  const now = scope.revision();
  try {
    return found !== undefined || now === before
      ? getResult(found, before)
      : getResult(scope.engine.get("data", key), now);
  } catch (error) {
    return { case: "error", value: readRefusal(scope, error) };
  }
}

function getResult(stored: Uint8Array | undefined, revision: number): Result {
  if (stored === undefined) {
    const absent = { found: false, value: EMPTY_KEY, version: 0n, revision: BigInt(revision) };
    return { case: "get", value: { $typeName: "rdb.v1.GetResponse", ...absent } };
  }
  const { value, version } = decodeValue(stored);
  return {
    case: "get",
    value: {
      $typeName: "rdb.v1.GetResponse",
      found: true,
      value,
      version: BigInt(version),
      revision: BigInt(Math.max(revision, version)),
    },
  };
}

/**
 * Serves a batch of gets: one moment for all keys. They are fetched off the loop first, a few at a time, which brings
 * their blocks into memory and finds out whether the answer would be too large; if a write came in between, they are
 * read again, in one turn.
 */
export async function serveBatchGet(scope: ReadScope, keys: readonly Uint8Array[]): Promise<Result> {
  const ground = groundOf(scope);
  const revision = scope.revision();
  try {
    let values = await fetchBounded(scope.engine, keys);
    const moved = movedError(scope, ground);
    if (moved !== undefined) {
      return { case: "error", value: moved };
    }
    if (values === undefined) {
      const problem = `batchGet of ${keys.length} keys finds more than batchMaxBytes ${limits.batchMaxBytes}: ask for fewer`;
      return { case: "error", value: invalidArgument("keys", problem) };
    }
    scope.served(keys.length, sizeOf(values));
    if (scope.revision() !== revision) {
      values = keys.map((key) => scope.engine.get("data", key));
    }
    return batchGetResult(keys, values, scope.revision());
  } catch (error) {
    return { case: "error", value: readRefusal(scope, error) };
  }
}

/** The stored values, or undefined once they are more than one answer may hold. */
async function fetchBounded(
  engine: Engine,
  keys: readonly Uint8Array[],
): Promise<(Uint8Array | undefined)[] | undefined> {
  const values: (Uint8Array | undefined)[] = [];
  let bytes = 0;
  while (values.length < keys.length) {
    const step = keys.slice(values.length);
    for (const [place, value] of (await engine.getMany("data", step)).entries()) {
      values.push(value);
      bytes += value === undefined ? 0 : value.length + (step[place]?.length ?? 0);
    }
    if (bytes > limits.batchMaxBytes) {
      return undefined;
    }
  }
  return values;
}

function batchGetResult(
  keys: readonly Uint8Array[],
  values: readonly (Uint8Array | undefined)[],
  revision: number,
): Result {
  const rows: Row[] = [];
  for (const [place, stored] of values.entries()) {
    const key = keys[place];
    if (stored !== undefined && key !== undefined) {
      rows.push(storedRow(key, stored, false));
    }
  }
  return {
    case: "batchGet",
    value: { $typeName: "rdb.v1.BatchGetResponse", rows, revision: BigInt(revision) },
  };
}

/**
 * Serves one page of a scan: the Region's rows in the range as they are now, up to the page's limits. The cursor is
 * opened before this returns, so the page is the state at the revision of the call.
 */
export async function serveScan(scope: ReadScope, request: ScanRequest): Promise<Result> {
  const ground = groundOf(scope);
  const { region } = ground;
  const revision = scope.revision();
  const range = region && intersectRanges(region, { startKey: request.startKey, endKey: request.endKey });
  if (region === undefined || range === undefined) {
    return scanResult([], false, revision, region);
  }
  // keysOnly still reads the values: a row's version is kept there.
  const cursor = scope.engine.openCursor("data", range, { reverse: request.reverse });
  try {
    const { rows, hasMore, bytes } = await readPage(cursor, request);
    scope.served(rows.length, bytes);
    const moved = movedError(scope, ground);
    return moved === undefined
      ? scanResult(rows, hasMore, revision, region)
      : { case: "error", value: moved };
  } catch (error) {
    return { case: "error", value: readRefusal(scope, error) };
  } finally {
    cursor.close();
  }
}

async function readPage(
  cursor: Cursor,
  request: ScanRequest,
): Promise<{ readonly rows: Row[]; readonly hasMore: boolean; readonly bytes: number }> {
  const maxCount = Math.min(
    request.limit === 0 ? limits.scanPageMaxCount : request.limit,
    limits.scanPageMaxCount,
  );
  const maxBytes = request.maxBytes === 0 ? limits.scanPageMaxBytes : request.maxBytes;
  const rows: Row[] = [];
  let bytes = 0;
  let readBytes = 0;
  for (;;) {
    const step = Math.min(maxCount - rows.length, SCAN_STEP_MAX_COUNT);
    const page = await cursor.next(step, Math.max(1, maxBytes - bytes));
    for (const stored of page.rows) {
      const row = storedRow(stored.key, stored.value, request.keysOnly);
      rows.push(row);
      bytes += row.key.length + row.value.length;
      readBytes += stored.key.length + stored.value.length;
    }
    if (page.done) {
      return { rows, hasMore: false, bytes };
    }
    if (rows.length >= maxCount || bytes >= maxBytes || readBytes >= SCAN_READ_MAX_BYTES) {
      return { rows, hasMore: true, bytes };
    }
  }
}

function sizeOf(values: readonly (Uint8Array | undefined)[]): number {
  let bytes = 0;
  for (const value of values) {
    bytes += value?.length ?? 0;
  }
  return bytes;
}

function scanResult(rows: Row[], hasMore: boolean, revision: number, region: KeyRange | undefined): Result {
  return {
    case: "scan",
    value: {
      $typeName: "rdb.v1.ScanResponse",
      rows,
      hasMore,
      revision: BigInt(revision),
      regionStartKey: region?.startKey ?? EMPTY_KEY,
      regionEndKey: region?.endKey ?? EMPTY_KEY,
    },
  };
}

function storedRow(key: Uint8Array, stored: Uint8Array, keysOnly: boolean): Row {
  const { value, version } = decodeValue(stored);
  return { $typeName: "rdb.v1.Row", key, value: keysOnly ? EMPTY_KEY : value, version: BigInt(version) };
}

function groundOf(scope: ReadScope): Ground {
  return { region: scope.region(), installCount: scope.installCount() };
}

/**
 * The refusal of a read during which the Region changed its range, left the Store or had its rows replaced; undefined
 * when it did not.
 */
function movedError(scope: ReadScope, { region, installCount }: Ground): RegionError | undefined {
  if (region === undefined) {
    return undefined;
  }
  const now = scope.region();
  const sameRange =
    now !== undefined &&
    now.epoch.version === region.epoch.version &&
    compareKeys(now.startKey, region.startKey) === 0;
  if (!sameRange) {
    return scope.epochNotMatch(region.epoch.version);
  }
  return scope.installCount() === installCount
    ? undefined
    : serverIsBusy("the Region's rows were replaced by a snapshot meanwhile", READ_FAILED_BACKOFF_MS);
}

/** What is wrong with the rows is told so; whatever else kept them from being read may have passed at the next try. */
function readRefusal(scope: ReadScope, error: unknown): RegionError {
  scope.readFailed(error);
  return hasCode(error, "RDB_DATA_CORRUPT")
    ? dataCorrupt(error.message)
    : serverIsBusy(`a read failed: ${RdbError.from(error).message}`, READ_FAILED_BACKOFF_MS);
}

/** Whether the request is a read. */
export function isRead(command: KvRequest["command"]): boolean {
  return command.case === "get" || command.case === "batchGet" || command.case === "scan";
}
