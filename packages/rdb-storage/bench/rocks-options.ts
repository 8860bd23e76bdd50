// What each of RocksDB's options costs or brings, beside what production opens (ADR 19): a Store's writes, point reads,
// reads of absent keys, scans. Each run has a process and a database of its own; rounds are interleaved.
// Run: node packages/rdb-storage/bench/rocks-options.ts [--only WORD] [--rounds 3] [--entries 8000]
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { optionsOf, production, variants } from "./rocks/variants.ts";
import { type WorkloadFigures, type WorkloadSize, runWorkload } from "./rocks/workload.ts";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "3" },
    entries: { type: "string", default: "8000" },
    run: { type: "string" },
  },
});
const size: WorkloadSize = {
  keys: 1_000_000,
  entries: Number(flags.entries),
  putsPerEntry: 64,
  reads: 100_000,
};

if (flags.run === undefined) {
  compare();
} else {
  const folder = mkdtempSync(join(tmpdir(), "flaredb-rocks-"));
  try {
    process.stdout.write(JSON.stringify(await runWorkload(join(folder, "db"), optionsOf(flags.run), size)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compare(): void {
  const chosen = variants.filter(({ name }) => name.toLowerCase().includes(flags.only.toLowerCase()));
  if (chosen.length === 0) {
    throw new Error(
      `--only ${flags.only} must be part of one of: ${variants.map(({ name }) => name).join("; ")}`,
    );
  }
  const names = [production.name, ...chosen.map(({ name }) => name)];
  const figures = new Map<string, WorkloadFigures[]>(names.map((name) => [name, []]));
  for (let round = 1; round <= Number(flags.rounds); round++) {
    for (const name of names) {
      process.stderr.write(`round ${round}: ${name}\n`);
      figures.get(name)?.push(runAlone(name));
    }
  }
  const columns: [string, keyof WorkloadFigures, number][] = [
    ["put, us", "writeUs", 2],
    ["puts/s", "putsPerSecond", 0],
    ["bytes written a byte", "writeAmplification", 2],
    ["get, us", "getUs", 2],
    ["absent, us", "missUs", 2],
    ["row of a scan, us", "scanUs", 2],
    ["disk, MiB", "diskMiB", 0],
    ["open, ms", "openMs", 0],
    ["resident, MiB", "residentMiB", 0],
  ];
  row("", ...columns.map(([title]) => title));
  row("---", ...columns.map(() => "---:"));
  for (const [name, runs] of figures) {
    row(name, ...columns.map(([, key, digits]) => median(runs.map((run) => run[key])).toFixed(digits)));
  }
}

function runAlone(name: string): WorkloadFigures {
  const args = [import.meta.filename, "--run", name, "--entries", flags.entries];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${name} ended with exit code ${status}: ${stderr}`);
  }
  return JSON.parse(stdout) as WorkloadFigures;
}

function row(...cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
