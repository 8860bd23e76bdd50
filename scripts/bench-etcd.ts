// `npm run bench:etcd`: the same load for etcd and for FlareDB, in turns, on this machine. Prints a row a measurement
// (op clients ops_per_second p50_ms p99_ms side) and writes docs/benchmarks.md with its plot; what stands outside of the
// document's marks stays.
// usage: npm run bench:etcd -- [--rounds 3] [--seconds 5] [--clients 1,8,64,256] [--processes 1]
//   [--etcd-script FILE | --without-etcd] [--out docs/benchmarks.md]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Sample } from "./bench/cases.ts";
import type { CpuCost } from "./bench/cpu-time.ts";
import { plotPathOf, replaceGenerated } from "./bench/document.ts";
import { checkEtcdScript, measureEtcd } from "./bench/etcd-side.ts";
import { measureFlaredb } from "./bench/flaredb-side.ts";
import { busyShare, conditions } from "./bench/machine.ts";
import { mediansOf } from "./bench/medians.ts";
import { renderPlot } from "./bench/plot.ts";
import { renderReport } from "./bench/report.ts";
import { wholeFlag } from "../e2e/flags.ts";
import { root } from "./source-files.ts";

const OPS = ["put", "get"];
/** Of all cores; what a machine that is left alone does by itself is below. */
const BUSY_SHARE_TO_WARN = 0.05;
const DEFAULT_ETCD_SCRIPT = "../shared/tools/etcd-baseline.sh";

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    clients: { type: "string", default: "1,8,64,256" },
    processes: { type: "string", default: "1" },
    "etcd-script": { type: "string", default: process.env["FLAREDB_ETCD_BASELINE"] ?? DEFAULT_ETCD_SCRIPT },
    "without-etcd": { type: "boolean", default: false },
    out: { type: "string", default: "docs/benchmarks.md" },
  },
});
const rounds = wholeFlag("rounds", flags.rounds);
// Etcd's side takes no fractions; both get the same.
const seconds = wholeFlag("seconds", flags.seconds);
const processes = wholeFlag("processes", flags.processes);
const clients = flags.clients.split(",").map((count) => wholeFlag("clients", count));
const out = resolve(root, flags.out);
// What cannot be written is told before the minutes that it takes to measure.
replaceGenerated(documentAt(out), "");
plotPathOf(out);
const script = resolve(root, flags["etcd-script"]);
if (!flags["without-etcd"]) {
  checkEtcdScript(script);
}

const samples: Sample[] = [];
const cpuCosts: CpuCost[] = [];
/** Before each side's turn, when nothing of ours runs. */
const loadsOfOthers: number[] = [];
console.log(["op", "clients", "ops_per_second", "p50_ms", "p99_ms", "side"].join("\t"));
for (let round = 0; round < rounds; round++) {
  await measureRound();
}
writeDocument(out);

async function measureRound(): Promise<void> {
  const run = { clients, ops: OPS, seconds: seconds };
  if (!flags["without-etcd"]) {
    await lookAtOthers();
    (await measureEtcd({ ...run, script })).forEach(note);
  }
  const own = {
    ...run,
    processes: processes,
    onSample: note,
    onCpuCost: (cost: CpuCost) => cpuCosts.push(cost),
  };
  await lookAtOthers();
  await measureFlaredb({ ...own, layout: "1 Region", withBulk: true });
  await lookAtOthers();
  await measureFlaredb({ ...own, layout: "16 Regions", withBulk: false });
}

async function lookAtOthers(): Promise<void> {
  const share = await busyShare();
  loadsOfOthers.push(share);
  if (share > BUSY_SHARE_TO_WARN) {
    console.warn(`other programs keep ${percent(share)} of this machine's cores busy: figures will be low`);
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function note(sample: Sample): void {
  samples.push(sample);
  const { op, opsPerSecond, p50Ms, p99Ms, layout } = sample;
  const figures = [Math.round(opsPerSecond), p50Ms.toFixed(2), p99Ms.toFixed(2)];
  console.log([op, sample.clients, ...figures, layout].join("\t"));
}

function writeDocument(path: string): void {
  const medians = mediansOf(samples);
  const plotPath = plotPathOf(path);
  const plot = relative(dirname(path), plotPath);
  const report = renderReport({
    conditions: [
      ...conditions(),
      ["load of others", `${loadsOfOthers.map(percent).join(", ")} of the cores, before each turn`],
    ],
    cores: cpus().length,
    medians,
    cpuCosts,
    seconds: seconds,
    plot,
  });
  writeFileSync(path, replaceGenerated(documentAt(path), report));
  writeFileSync(plotPath, renderPlot(medians));
  console.log(`written: ${[path, plotPath].map((file) => relative(root, file)).join(", ")}`);
}

function documentAt(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
