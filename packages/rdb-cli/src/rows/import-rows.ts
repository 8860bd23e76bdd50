import { KiB, RdbError } from "@flaredb/rdb-base";
import type { KeySpace } from "@flaredb/rdb-client";
import type { Line, LinePosition } from "./line-reader.ts";
import { type RowBytes, parseRowLine } from "./row-line.ts";

/** A batch ends with the row that reaches one of these. */
const BATCH_MAX_COUNT = 500;
const BATCH_MAX_BYTES = 512 * KiB;
/** Batches that are on their way at once. */
const IN_FLIGHT_MAX_COUNT = 8;

interface Batch {
  /** By key: of two lines with one key the later wins. */
  readonly rows: Map<string, RowBytes>;
  bytes: number;
  lineCount: number;
  /** Behind its last line. */
  end: LinePosition;
}

export interface ImportOptions {
  readonly deadlineMs: number;
  /** No line is taken any more once it is aborted; what is on its way is waited for. */
  readonly signal: AbortSignal;
  /** A batch is written. */
  readonly onWritten: (rowCount: number, bytes: number) => void;
  /** Every line up to there is written, that many of them rows. Called in order, never twice at once. */
  readonly onPosition: (position: LinePosition, rowCount: number) => Promise<void>;
}

/**
 * Writes the rows of lines in batches, a bounded number of them at once, and later lines over earlier ones of the same
 * key. Ends at the first line that is no row, or batch that cannot be written: what is on its way is waited for, and
 * of the batch that the bad line would belong to nothing is written.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT naming the line in message and details; what a write failed with
 */
export async function importRows(
  space: KeySpace,
  lines: AsyncIterable<Line>,
  options: ImportOptions,
): Promise<void> {
  const writer = new BatchWriter(space, options);
  let batch: Batch | undefined;
  try {
    for await (const line of lines) {
      if (options.signal.aborted || writer.hasFailed) {
        return;
      }
      if (line.bytes.length === 0) {
        continue;
      }
      batch = add(batch, line);
      if (batch.rows.size >= BATCH_MAX_COUNT || batch.bytes >= BATCH_MAX_BYTES) {
        await writer.write(batch);
        batch = undefined;
      }
    }
    if (batch !== undefined) {
      await writer.write(batch);
    }
  } finally {
    await writer.end();
  }
}

function add(batch: Batch | undefined, line: Line): Batch {
  const row = parseNumbered(line);
  const to = batch ?? {
    rows: new Map<string, RowBytes>(),
    bytes: 0,
    lineCount: 0,
    end: { lineCount: 0, offset: 0 },
  };
  to.rows.set(nameOf(row.key), row);
  to.bytes += row.key.length + row.value.length;
  to.lineCount++;
  to.end = { lineCount: line.number, offset: line.endOffset };
  return to;
}

function parseNumbered(line: Line): RowBytes {
  try {
    return parseRowLine(line.bytes);
  } catch (error) {
    const { code, message } = RdbError.from(error);
    throw new RdbError(code, `line ${line.number} ${message}`, {
      details: { line: line.number },
      cause: error,
    });
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}

/** Batches on their way; the position behind them moves on in the order of the lines. */
class BatchWriter {
  readonly #space: KeySpace;
  readonly #options: ImportOptions;
  /** In the order of the lines; true: written. */
  readonly #batches = new Map<Batch, boolean>();
  readonly #running = new Set<Promise<void>>();
  #positions = Promise.resolve();
  /** Rows up to the position. */
  #rowCount = 0;
  #failure: RdbError | undefined;

  constructor(space: KeySpace, options: ImportOptions) {
    this.#space = space;
    this.#options = options;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Waits for room; and for all that is on its way if that has one of the keys: the later line must win. */
  async write(batch: Batch): Promise<void> {
    if (this.#overlaps(batch)) {
      await Promise.all(this.#running);
    }
    while (this.#running.size >= IN_FLIGHT_MAX_COUNT) {
      await Promise.race(this.#running);
    }
    if (this.hasFailed) {
      return;
    }
    this.#batches.set(batch, false);
    const running = this.#put(batch).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** @throws RdbError what the first batch that failed failed with */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    await this.#positions;
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  async #put(batch: Batch): Promise<void> {
    try {
      const { deadlineMs, onWritten } = this.#options;
      await this.#space.batchPut([...batch.rows.values()], { deadlineMs });
      this.#batches.set(batch, true);
      onWritten(batch.lineCount, batch.bytes);
      this.#movePosition();
    } catch (error) {
      this.#failure ??= RdbError.from(error);
    }
  }

  #movePosition(): void {
    let end: LinePosition | undefined;
    for (const [batch, isWritten] of this.#batches) {
      if (!isWritten) {
        break;
      }
      end = batch.end;
      this.#rowCount += batch.lineCount;
      this.#batches.delete(batch);
    }
    if (end !== undefined) {
      const position = end;
      const rowCount = this.#rowCount;
      this.#positions = this.#positions
        .then(() => this.#options.onPosition(position, rowCount))
        .catch((error: unknown) => {
          this.#failure ??= RdbError.from(error);
        });
    }
  }

  #overlaps({ rows }: Batch): boolean {
    return [...this.#batches].some(
      ([other, isWritten]) => !isWritten && [...rows.keys()].some((key) => other.rows.has(key)),
    );
  }
}
