import { RdbError } from "@flaredb/rdb-base";

/** One line of a stream, without its end. */
export interface Line {
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly number: number;
  /** Where the next line begins, in bytes from the stream's beginning. */
  readonly endOffset: number;
}

/** Where reading begins: behind so many lines and bytes of the whole. */
export interface LinePosition {
  readonly lineCount: number;
  readonly offset: number;
}

const NEWLINE = 0x0a;

/**
 * The lines of a stream, the last one also without a line feed at its end.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT naming the line that is longer than `maxBytes`
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array | string>,
  from: LinePosition,
  maxBytes: number,
): AsyncGenerator<Line, void, undefined> {
  let number = from.lineCount;
  let endOffset = from.offset;
  let pieces: Uint8Array[] = [];
  let pieceBytes = 0;
  const keep = (piece: Uint8Array): void => {
    pieces.push(piece);
    pieceBytes += piece.length;
    if (pieceBytes > maxBytes) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `line ${number + 1} is longer than ${maxBytes} bytes`, {
        details: { line: number + 1 },
      });
    }
  };
  const take = (extraBytes: number): Line => {
    number++;
    endOffset += pieceBytes + extraBytes;
    const bytes = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    pieces = [];
    pieceBytes = 0;
    return { bytes, number, endOffset };
  };
  for await (const chunk of chunks) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      keep(bytes.subarray(start, end));
      yield take(1);
      start = end + 1;
    }
    if (start < bytes.length) {
      keep(bytes.subarray(start));
    }
  }
  if (pieceBytes > 0) {
    yield take(0);
  }
}
