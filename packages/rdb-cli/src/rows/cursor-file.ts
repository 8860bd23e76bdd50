import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { RdbError } from "@flaredb/rdb-base";
import { invalid } from "../input/bytes.ts";

/** How far a transfer has come, as it is kept beside its file until the end. */
export interface ExportCursor {
  readonly transfer: "export";
  /** Base64, as all keys here. What was asked for: a resumed export must ask for the same. */
  readonly startKey: string;
  readonly endKey: string;
  /** The last key that is in the file. */
  readonly lastKey: string;
  readonly rowCount: number;
  /** What the file holds up to that row. */
  readonly fileBytes: number;
}

/** As {@link ExportCursor}. Every line before is imported. */
export interface ImportCursor {
  readonly transfer: "import";
  readonly lineCount: number;
  readonly offset: number;
  readonly rowCount: number;
}

type Cursor = ExportCursor | ImportCursor;

/** The cursor of one file: `FILE.export-cursor` or `FILE.import-cursor`. */
export class CursorFile<Of extends Cursor> {
  readonly path: string;
  readonly #transfer: Of["transfer"];

  constructor(file: string, transfer: Of["transfer"]) {
    this.path = `${file}.${transfer}-cursor`;
    this.#transfer = transfer;
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT when there is none, or something else */
  async read(): Promise<Of> {
    let text: string;
    try {
      text = await readFile(this.path, "utf8");
    } catch (error) {
      throw invalid(
        "resume",
        `--resume finds no cursor of an earlier ${this.#transfer}: ${RdbError.from(error).message}`,
      );
    }
    const cursor = parse(text);
    if (cursor?.transfer !== this.#transfer) {
      throw invalid("resume", `${this.path} is no cursor of an ${this.#transfer}: delete it, and begin anew`);
    }
    return cursor as Of;
  }

  /** In one step: a crash leaves the old one or the new one. */
  async write(cursor: Of): Promise<void> {
    const next = `${this.path}.next`;
    await writeFile(next, `${JSON.stringify(cursor)}\n`);
    await rename(next, this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

function parse(text: string): Partial<Cursor> | undefined {
  try {
    return JSON.parse(text) as Partial<Cursor>;
  } catch {
    // Cut or foreign: the caller says so, with its path.
    return undefined;
  }
}
