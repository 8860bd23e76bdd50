import type { Command } from "commander";
import { type BenchKind, type RawBenchOptions, benchDefaults, parseBenchOptions } from "../bench/options.ts";
import { type ExitCode, exitCodes } from "../failure.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";

const descriptions: Readonly<Record<BenchKind, string>> = {
  put: "write a row a call",
  get: "read a row a call, linearizably",
  mixed: "read or write a row a call",
  scan: "read a run of rows a call",
  "batch-put": "write several rows a call",
  "batch-get": "read several rows a call",
};

const NOTES = `
Keys begin with "bench/" and stay. Percentiles are of the calls that were answered; those that failed are
counted by code; exits with 1 when none was answered. Ctrl-C ends early with the figures so far.
`;

/** `rdb bench put|get|mixed|scan|batch-put|batch-get` */
export function defineBench(parent: Command, shell: Shell): void {
  const bench = parent.command("bench").description("measure throughput and latency: put, get, scan, …");
  for (const kind of Object.keys(descriptions) as BenchKind[]) {
    defineKind(bench, shell, kind);
  }
}

function defineKind(bench: Command, shell: Shell, kind: BenchKind): void {
  const defaults = benchDefaults;
  const command = bench
    .command(kind)
    .description(descriptions[kind])
    .option("--clients <count>", `calls that are open at a time (default ${defaults.clients})`)
    .option("--seconds <time>", `measure for so long (default ${defaults.seconds})`)
    .option("--total <count>", "measure so many calls instead")
    .option("--rate <calls>", "open loop: so many are due a second; latency counts from when each was due")
    .option("--warm-up <seconds>", `the same load before, unmeasured (default ${defaults.warmUpSeconds})`)
    .option("--processes <count>", `processes that share the load (default ${defaults.processes})`)
    .option("--key-size <bytes>", `of each key (default ${defaults.keySizeBytes})`)
    .option("--value-size <bytes>", `of each value (default ${defaults.valueSizeBytes})`)
    .option("--keys <count>", `how many different keys (default ${defaults.keys})`)
    .option("--zipf <exponent>", "some keys more often than others, such as 0.99 (default: all alike)")
    .option("--fill", "write all keys first");
  defineOwnOptions(command, kind);
  command.addHelpText("after", NOTES);
  defineAction(command, shell, (call: Call<RawBenchOptions>) => measureCalls(call, kind));
}

function defineOwnOptions(command: Command, kind: BenchKind): void {
  const { readShare, limit, pageSize, batchSize } = benchDefaults;
  switch (kind) {
    case "mixed":
      command.option("--read-share <share>", `of the calls, 0 to 1 (default ${readShare})`);
      break;
    case "scan":
      command.option("--limit <rows>", `rows of a call (default ${limit})`);
      command.option("--page-size <rows>", `rows of a request (default ${pageSize})`);
      break;
    case "batch-put":
    case "batch-get":
      command.option("--batch-size <count>", `keys of a call (default ${batchSize})`);
      break;
    default:
  }
}

async function measureCalls(call: Call<RawBenchOptions>, kind: BenchKind): Promise<ExitCode> {
  const options = parseBenchOptions(kind, call.options);
  // The SDK and the histograms are loaded only here.
  const { runBench } = await import("../bench/run-bench.ts");
  const { benchDocument, renderBench } = await import("../bench/report.ts");
  const { pdAddresses, timeoutMs, json, tls } = call.globals;
  const outcome = await runBench(options, { pdAddresses, deadlineMs: timeoutMs, tls }, call.io, json);
  const document = benchDocument(options, outcome.result, outcome.isInterrupted);
  await call.print(document, () => renderBench(document, call.io.columns));
  if (outcome.isInterrupted) {
    return exitCodes.interrupted;
  }
  const allFailed = document.calls === 0 && Object.keys(document.errors).length > 0;
  return allFailed ? exitCodes.failed : exitCodes.done;
}
