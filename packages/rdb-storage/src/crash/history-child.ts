import { writeSync } from "node:fs";
import { MEMTABLE_MIN_BYTES } from "../rocks-options.ts";
import { columns } from "../column.ts";
import { openRocksEngine } from "../rocks-engine.ts";
import { historyLength, historyStep } from "./history.ts";
import { systemClock } from "@flaredb/rdb-base";

// The process that is killed: it writes a numbered history from where the folder's ends, and tells on its standard
// output which step is durable, one line each. Arguments: folder, seed, and "sync" or "no-sync".

/** Steps that are submitted and not yet written, at most. */
const UNWRITTEN_MAX_COUNT = 60;

const [path, seedText, mode] = process.argv.slice(2);
if (path === undefined || seedText === undefined || (mode !== "sync" && mode !== "no-sync")) {
  throw new Error("usage: history-child.ts FOLDER SEED sync|no-sync");
}
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
tell(`open ${next - 1}`);
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
    tell(`durable ${number}`);
  }
  submitMore();
}

/** At once: what is told has left the process even if it is killed right after. */
function tell(line: string): void {
  writeSync(1, `${line}\n`);
}
