import type { Command } from "commander";
import { parseRange } from "../../input/key-range.ts";
import { parseInteger } from "../../input/numbers.ts";
import { write } from "../../io.ts";
import { bytesField, toJsonLine } from "../../output/json.ts";
import { printable, toHex } from "../../output/text.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { withClient } from "../../with-client.ts";

interface Options {
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
  readonly limit?: string;
  readonly reverse?: true;
  readonly keysOnly?: true;
  readonly hex?: true;
}

/** `rdb scan` */
export function defineScan(parent: Command, shell: Shell): void {
  const command = parent
    .command("scan")
    .description("print keys and values in order, as they are read; with --json one document a line")
    .option("--prefix <key>", "only keys that begin with this")
    .option("--start <key>", "from this key on")
    .option("--end <key>", "up to this key, without it")
    .option("--limit <count>", "at most this many")
    .option("--reverse", "from the last key to the first")
    .option("--keys-only", "without the values")
    .option("--hex", "read and print keys and values as hexadecimal digits");
  defineAction(command, shell, scan);
}

async function scan(call: Call<Options>): Promise<undefined> {
  const { options, globals, io } = call;
  const { prefix, start, end, hex = false } = options;
  const range = parseRange({ prefix, start, end, hex }, { start: "start", end: "end" });
  const limit =
    options.limit === undefined
      ? undefined
      : parseInteger("limit", options.limit, 1, Number.MAX_SAFE_INTEGER);
  const print = rowPrinter(call);
  await withClient(globals, async (client, callOptions) => {
    const scanOptions = {
      ...callOptions,
      start: range.startKey,
      end: range.endKey,
      keysOnly: options.keysOnly === true,
      ...(limit === undefined ? {} : { limit }),
    };
    const found = options.reverse === true ? client.scanReverse(scanOptions) : client.scan(scanOptions);
    for await (const page of found.pages()) {
      if (io.stdout.destroyed) {
        return;
      }
      await write(io.stdout, page.map(print).join(""));
    }
  });
}

interface PrintedRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: number;
}

function rowPrinter(call: Call<Options>): (row: PrintedRow) => string {
  const { hex = false, keysOnly = false } = call.options;
  if (call.globals.json) {
    return ({ key, value, version }) =>
      toJsonLine({
        ...bytesField("key", key, hex),
        ...(keysOnly ? {} : bytesField("value", value, hex)),
        version,
      });
  }
  const show = hex ? toHex : printable;
  if (keysOnly) {
    return ({ key }) => `${show(key)}\n`;
  }
  const { columns } = call.io;
  return ({ key, value }) => `${fitLine(`${show(key)}\t${show(value)}`, columns)}\n`;
}

const TAB_COLUMNS = 8;

// On a terminal each row takes one line; into a pipe nothing is cut.
function fitLine(line: string, columns: number | undefined): string {
  if (columns === undefined || line.length + TAB_COLUMNS <= columns) {
    return line;
  }
  return `${line.slice(0, Math.max(0, columns - TAB_COLUMNS - 1))}…`;
}
