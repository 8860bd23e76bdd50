import { type FileHandle, open } from "node:fs/promises";
import { type KeyRange, RdbError, keyAfter } from "@flaredb/rdb-base";
import type { KeySpace } from "@flaredb/rdb-client";
import { invalid } from "../input/bytes.ts";
import type { CursorFile, ExportCursor } from "./cursor-file.ts";
import { formatRowLine } from "./row-line.ts";

/** Where the lines of an export go. */
export interface RowSink {
  /** @returns false when nobody takes any more */
  write(text: string): Promise<boolean>;
}

export interface ExportOptions {
  readonly deadlineMs: number;
  /** Ends it behind the page that is on its way. */
  readonly signal: AbortSignal;
  /** A page is written. */
  readonly onPage: (page: ExportedPage) => Promise<void>;
}

/** What a page added. */
export interface ExportedPage {
  readonly rowCount: number;
  readonly bytes: number;
  readonly lastKey: Uint8Array;
}

/**
 * Writes the rows of a range as lines, page by page. Each page shows one moment of one Region; two pages may show two.
 *
 * @returns whether the range was written to its end
 */
export async function exportRows(
  space: KeySpace,
  range: KeyRange,
  sink: RowSink,
  options: ExportOptions,
): Promise<boolean> {
  const { deadlineMs, signal } = options;
  const scan = space.scan({ start: range.startKey, end: range.endKey, deadlineMs });
  for await (const page of scan.pages()) {
    if (signal.aborted) {
      return false;
    }
    const text = page.map(formatRowLine).join("");
    if (!(await sink.write(text))) {
      return false;
    }
    const lastKey = page.at(-1)?.key ?? range.startKey;
    await options.onPage({ rowCount: page.length, bytes: Buffer.byteLength(text), lastKey });
  }
  return true;
}

/** The file of an export, with the cursor that says how much of it is right. */
export class ExportFile implements RowSink {
  readonly #handle: FileHandle;
  readonly #cursorFile: CursorFile<ExportCursor>;
  readonly #range: KeyRange;
  #rowCount: number;
  #fileBytes: number;
  /** What is still to be exported. */
  readonly rest: KeyRange;
  readonly resumedRowCount: number;

  private constructor(
    handle: FileHandle,
    cursorFile: CursorFile<ExportCursor>,
    range: KeyRange,
    cursor: ExportCursor | undefined,
  ) {
    this.#handle = handle;
    this.#cursorFile = cursorFile;
    this.#range = range;
    this.#rowCount = this.resumedRowCount = cursor?.rowCount ?? 0;
    this.#fileBytes = cursor?.fileBytes ?? 0;
    this.rest =
      cursor === undefined
        ? range
        : { startKey: keyAfter(Buffer.from(cursor.lastKey, "base64")), endKey: range.endKey };
  }

  /**
   * A new file; there must be none.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT
   */
  static async create(
    path: string,
    cursorFile: CursorFile<ExportCursor>,
    range: KeyRange,
  ): Promise<ExportFile> {
    const handle = await opened(path, "wx", "delete it, name another, or go on with it by --resume");
    // Of a file that was deleted: what this one holds has nothing to do with it.
    await cursorFile.remove();
    return new ExportFile(handle, cursorFile, range, undefined);
  }

  /**
   * The file of an export that was cut off. What it holds behind the cursor is cut.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when file, cursor and range do not belong together
   */
  static async resume(
    path: string,
    cursorFile: CursorFile<ExportCursor>,
    range: KeyRange,
  ): Promise<ExportFile> {
    const cursor = await cursorFile.read();
    if (cursor.startKey !== base64(range.startKey) || cursor.endKey !== base64(range.endKey)) {
      throw invalid(
        "resume",
        `${cursorFile.path} is of an export of other keys: give the range that it began with`,
      );
    }
    const handle = await opened(path, "r+", "begin anew without --resume");
    const { size } = await handle.stat();
    if (size < cursor.fileBytes) {
      await handle.close();
      throw invalid(
        "resume",
        `${path} has ${size} bytes, less than the ${cursor.fileBytes} that were exported: delete it and its cursor, and begin anew`,
      );
    }
    await handle.truncate(cursor.fileBytes);
    return new ExportFile(handle, cursorFile, range, cursor);
  }

  async write(text: string): Promise<boolean> {
    const bytes = Buffer.from(text);
    // On a disk that is nearly full a write may take a part only. What is missing would be a hole behind the next page.
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#fileBytes + at);
      at += bytesWritten;
    }
    return true;
  }

  /** The page that was written last is right. */
  async keep(page: ExportedPage): Promise<void> {
    this.#rowCount += page.rowCount;
    this.#fileBytes += page.bytes;
    // The cursor must not outlive a loss of power that these rows do not.
    await this.#handle.datasync();
    await this.#cursorFile.write({
      transfer: "export",
      startKey: base64(this.#range.startKey),
      endKey: base64(this.#range.endKey),
      lastKey: base64(page.lastKey),
      rowCount: this.#rowCount,
      fileBytes: this.#fileBytes,
    });
  }

  /** @param isDone whether the cursor is of no use any more */
  async close(isDone: boolean): Promise<void> {
    if (isDone) {
      await this.#handle.sync();
      await this.#cursorFile.remove();
    }
    await this.#handle.close();
  }
}

async function opened(path: string, flags: string, advice: string): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    throw invalid("file", `${path} cannot be opened: ${RdbError.from(error).message}; ${advice}`);
  }
}

function base64(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("base64");
}
