import type { KeyRange } from "@flaredb/rdb-base";
import type { Command } from "commander";
import { type ExitCode, exitCodes } from "../../failure.ts";
import { invalid } from "../../input/bytes.ts";
import { parseRange } from "../../input/key-range.ts";
import { write } from "../../io.ts";
import { toJsonLine } from "../../output/json.ts";
import { CursorFile, type ExportCursor } from "../../rows/cursor-file.ts";
import { ExportFile, exportRows } from "../../rows/export-rows.ts";
import { RowProgress } from "../../rows/row-progress.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly hex?: true;
  readonly resume?: true;
}

const HELP = `
One line of JSON for each row: key and value as text where they are UTF-8, else keyBase64 and valueBase64.
Each page of up to 1,000 rows is one moment of one Region. The whole is not one moment: what is written meanwhile may
be in it or not. With --resume, an export that was interrupted goes on behind its last page (see FILE.export-cursor).
`;

/** `rdb export` */
export function defineExport(parent: Command, shell: Shell): void {
  const command = parent
    .command("export")
    .description("write rows to a file as lines of JSON")
    .argument("<file>", "a new file; - for stdout")
    .option("--prefix <key>", "only keys that begin with this")
    .option("--from <key>", "from this key on")
    .option("--to <key>", "up to this key, without it")
    .option("--hex", "read the keys above as hexadecimal digits")
    .option("--resume", "go on with an export that was interrupted")
    .addHelpText("after", HELP);
  defineAction(command, shell, runExport);
}

async function runExport(call: Call<Options>, file: string): Promise<ExitCode> {
  const { options, globals, io } = call;
  const { prefix, from, to, hex = false, resume = false } = options;
  const range = parseRange({ prefix, start: from, end: to, hex }, { start: "from", end: "to" });
  if (file === "-" && resume) {
    throw invalid("resume", "--resume needs a file: what was written to stdout is not known");
  }
  return withClient(globals, async (client, { deadlineMs }) => {
    const target = file === "-" ? undefined : await openFile(file, range, resume);
    const progress = new RowProgress(io, {
      verb: "exported",
      json: globals.json,
      rowCount: target?.resumedRowCount ?? 0,
    });
    const interrupt = new AbortController();
    const stopListening = io.onInterrupt(() => interrupt.abort());
    let isDone = false;
    try {
      isDone = await exportRows(client, target?.rest ?? range, target ?? stdoutSink(call), {
        deadlineMs,
        signal: interrupt.signal,
        onPage: async (page) => {
          await target?.keep(page);
          progress.add(page.rowCount, page.bytes);
        },
      });
    } finally {
      stopListening();
      progress.clear();
      await target?.close(isDone);
    }
    return report(call, { file, progress, isDone });
  });
}

function openFile(file: string, range: KeyRange, resume: boolean): Promise<ExportFile> {
  const cursorFile = new CursorFile<ExportCursor>(file, "export");
  return resume ? ExportFile.resume(file, cursorFile, range) : ExportFile.create(file, cursorFile, range);
}

function stdoutSink({ io }: Call<Options>): { write(text: string): Promise<boolean> } {
  return {
    write: async (text) => {
      if (io.stdout.destroyed) {
        return false;
      }
      await write(io.stdout, text);
      return true;
    },
  };
}

interface Outcome {
  readonly file: string;
  readonly progress: RowProgress;
  readonly isDone: boolean;
}

async function report(call: Call<Options>, { file, progress, isDone }: Outcome): Promise<ExitCode> {
  const { io, globals } = call;
  if (!isDone) {
    const advice = file === "-" ? "" : `; \`rdb export --resume\` with the same keys and file goes on`;
    await write(io.stderr, `interrupted: ${progress.summary}${advice}\n`);
    return exitCodes.interrupted;
  }
  const document = { rows: progress.rowCount, bytes: progress.bytes, snapshot: "page" };
  const text = `${progress.summary}; each page is one snapshot, the whole is not\n`;
  // Rows on stdout are read by another program: what is said about them goes beside.
  if (file === "-") {
    await write(io.stderr, globals.json ? toJsonLine(document) : text);
  } else {
    await call.print(document, () => text);
  }
  return exitCodes.done;
}
