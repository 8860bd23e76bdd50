import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { RdbError } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { invalid } from "../../input/bytes.ts";
import { write } from "../../io.ts";
import { CursorFile, type ImportCursor } from "../../rows/cursor-file.ts";
import { importRows } from "../../rows/import-rows.ts";
import { type LinePosition, readLines } from "../../rows/line-reader.ts";
import { LINE_MAX_BYTES } from "../../rows/row-line.ts";
import { RowProgress } from "../../rows/row-progress.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly resume?: true;
}

const HELP = `
Reads what rdb export writes, and what rdb scan --json prints. Rows that exist are written over, others stay. Rows are
written in batches, so a failure leaves some written: all lines before the one that is named, perhaps later ones. To
import again does no harm; with --resume it goes on where it was interrupted (see FILE.import-cursor).
A line that is no row ends the import with its number, and nothing of its batch is written.
`;

const beginning: ImportCursor = { transfer: "import", lineCount: 0, offset: 0, rowCount: 0 };

/** `rdb import` */
export function defineImport(parent: Command, shell: Shell): void {
  const command = parent
    .command("import")
    .description("write the rows of a file of JSON lines")
    .argument("<file>", "as rdb export writes it; - for stdin")
    .option("--resume", "go on with an import that was interrupted")
    .addHelpText("after", HELP);
  defineAction(command, shell, runImport);
}

async function runImport(call: Call<Options>, file: string): Promise<ExitCode> {
  const { options, globals, io } = call;
  if (file === "-" && options.resume) {
    throw invalid("resume", "--resume needs a file: what was read from stdin is gone");
  }
  const cursorFile = file === "-" ? undefined : new CursorFile<ImportCursor>(file, "import");
  const from = await beginningOf(file, options.resume === true ? cursorFile : undefined);
  const progress = new RowProgress(io, { verb: "imported", json: globals.json, rowCount: from.rowCount });
  const input = file === "-" ? io.stdin : createReadStream(file, { start: from.offset });
  const interrupt = new AbortController();
  const stopListening = io.onInterrupt(() => {
    interrupt.abort();
    input.destroy();
  });
  try {
    await withClient(globals, async (client, { deadlineMs }) => {
      const lines = readLines(untilAborted(input, interrupt.signal), from, LINE_MAX_BYTES);
      await importRows(client, lines, {
        deadlineMs,
        signal: interrupt.signal,
        onWritten: (rowCount, bytes) => progress.add(rowCount, bytes),
        onPosition: async ({ lineCount, offset }, rows) =>
          cursorFile?.write({ transfer: "import", lineCount, offset, rowCount: from.rowCount + rows }),
      });
    });
  } finally {
    stopListening();
    progress.clear();
    input.destroy();
  }
  if (interrupt.signal.aborted) {
    const advice = file === "-" ? "" : `; \`rdb import --resume ${file}\` goes on`;
    await write(io.stderr, `interrupted: ${progress.summary}${advice}\n`);
    return exitCodes.interrupted;
  }
  await cursorFile?.remove();
  const { rowCount: rows, bytes, summary } = progress;
  await call.print({ rows, bytes }, () => `${summary}\n`);
  return exitCodes.done;
}

/** @throws RdbError RDB_INVALID_ARGUMENT when the file cannot be read, or is shorter than what was imported of it */
async function beginningOf(
  file: string,
  cursorFile: CursorFile<ImportCursor> | undefined,
): Promise<LinePosition & { readonly rowCount: number }> {
  const cursor = (await cursorFile?.read()) ?? beginning;
  if (file === "-") {
    return cursor;
  }
  const { size } = await stat(file).catch((error: unknown) => {
    throw invalid("file", `${file} cannot be read: ${RdbError.from(error).message}`);
  });
  if (size < cursor.offset) {
    throw invalid(
      "resume",
      `${file} has ${size} bytes, less than the ${cursor.offset} that were imported: it is another file; import it without --resume`,
    );
  }
  return cursor;
}

/** What is read until Ctrl-C: that the stream was cut then is no error. */
async function* untilAborted(
  input: Readable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array | string, void, undefined> {
  try {
    for await (const chunk of input) {
      yield chunk as Uint8Array | string;
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}
