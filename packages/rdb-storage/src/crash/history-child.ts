import { openSync, writeSync } from "node:fs";
import { MEMTABLE_MIN_BYTES } from "../rocks-options.ts";
import { columns } from "../column.ts";
import { openRocksEngine } from "../rocks-engine.ts";
import { historyLength, historyStep } from "./history.ts";
import { systemClock } from "@flaredb/rdb-base";

// The process that is killed: it writes a numbered history from where the folder's ends, and notes in a file which step
// is durable, one line each. That it begins to write it tells on its standard output. Arguments: folder, file of notes,
// seed, and "sync" or "no-sync".

/** Steps that are submitted and not yet written, at most. */
const UNWRITTEN_MAX_COUNT = 60;

const [path, notesPath, seedText, mode] = process.argv.slice(2);
if (
  path === undefined ||
  notesPath === undefined ||
  seedText === undefined ||
  (mode !== "sync" && mode !== "no-sync")
) {
  throw new Error("usage: history-child.ts FOLDER NOTES SEED sync|no-sync");
}
// What is in a file when a process is killed stays there. A pipe may be full, and then refuses.
const notes = openSync(notesPath, "w");
const engine = await openRocksEngine({
  path,
  clock: systemClock,
  onFatal: (error) => {
    throw error;
  },
  // The smallest there are, so that families flush often and each at its own time.
  memtableBytes: Object.fromEntries(columns.map((column) => [column, MEMTABLE_MIN_BYTES])),
});
const seed = Number(seedText);
let next = historyLength(engine) + 1;
let unwritten = 0;
writeSync(1, "open\n");
submitMore();

function submitMore(): void {
  while (unwritten < UNWRITTEN_MAX_COUNT) {
    const number = next++;
    unwritten++;
    const step = historyStep(seed, number);
    if (step.kind === "deleteRange") {
      engine.deleteRange(step.column, step.range, () => written(number, false));
      continue;
    }
    const { part } = step;
    const isSynced = part.sync;
    part.sync &&= mode === "sync";
    engine.submit(part, () => written(number, isSynced));
  }
}

function written(number: number, isDurable: boolean): void {
  unwritten--;
  if (isDurable) {
    writeSync(notes, `${number}\n`);
  }
  submitMore();
}
