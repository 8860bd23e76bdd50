import { type Timer, systemClock, systemRandom } from "@flaredb/rdb-base";
import type { Io } from "../io.ts";
import { ProgressLine } from "../output/progress-line.ts";
import { mergeResults } from "./child-messages.ts";
import { fill } from "./fill.ts";
import { type Generator, LocalGenerator, type Target, systemGeneratorPorts } from "./generator.ts";
import { Latencies } from "./latencies.ts";
import type { LoadResult } from "./load.ts";
import type { BenchOptions } from "./options.ts";
import { RemoteGenerator } from "./remote-generator.ts";
import { formatRate } from "./report.ts";

const LIVE_INTERVAL_MS = 1_000;

/** What a benchmark came to. */
export interface BenchOutcome {
  readonly result: LoadResult;
  /** Ctrl-C ended it early. */
  readonly isInterrupted: boolean;
}

/**
 * Fills if asked to, warms up, and measures. On a terminal a line on stderr says how it gets on. Ctrl-C ends it with
 * the figures so far; a second one ends the program.
 */
export async function runBench(
  options: BenchOptions,
  target: Target,
  io: Io,
  json: boolean,
): Promise<BenchOutcome> {
  const line = new ProgressLine(io, json || io.progressColumns === undefined);
  let isInterrupted = false;
  let generators: Generator[] = [];
  const ignoreInterrupts = io.onInterrupt(() => {
    ignoreInterrupts();
    isInterrupted = true;
    for (const generator of generators) {
      generator.stop();
    }
  });
  try {
    if (options.fill) {
      await fillFirst(options, target, line, () => isInterrupted);
    }
    generators = startGenerators(options, target);
    line.show(`${options.kind}: warming up`);
    if (isInterrupted) {
      generators.forEach((generator) => generator.stop());
    }
    await Promise.all(generators.map((generator) => generator.prepare()));
    return { result: await measure(options, generators, line), isInterrupted };
  } finally {
    ignoreInterrupts();
    line.clear();
    generators.forEach((generator) => generator.close());
  }
}

async function fillFirst(
  options: BenchOptions,
  target: Target,
  line: ProgressLine,
  isStopped: () => boolean,
): Promise<void> {
  const client = await systemGeneratorPorts.connect(target);
  const onWritten = (count: number): void => line.show(`filling: ${count} of ${options.keys} keys`);
  try {
    await fill(client, options, systemRandom, { onWritten, isStopped });
  } finally {
    client.close();
  }
}

function startGenerators(options: BenchOptions, target: Target): Generator[] {
  if (options.processes === 1) {
    return [new LocalGenerator(options, target)];
  }
  return shareOut(options).map((share) => new RemoteGenerator(share, target));
}

/** What each process does of the whole: as equal parts as can be. */
export function shareOut(options: BenchOptions): BenchOptions[] {
  const { processes, clients, total, rate } = options;
  const part = (whole: number, place: number): number =>
    Math.floor(whole / processes) + (place < whole % processes ? 1 : 0);
  return Array.from({ length: processes }, (_, place) => ({
    ...options,
    clients: part(clients, place),
    total: total === undefined ? undefined : part(total, place),
    rate: rate === undefined ? undefined : rate / processes,
  }));
}

async function measure(
  options: BenchOptions,
  generators: readonly Generator[],
  line: ProgressLine,
): Promise<LoadResult> {
  let ticks: Timer;
  const tick = (): void => {
    const latencies = new Latencies();
    for (const generator of generators) {
      latencies.add(generator.takeInterval());
    }
    line.show(liveText(options, latencies));
    ticks = systemClock.setTimer(LIVE_INTERVAL_MS, tick);
  };
  ticks = systemClock.setTimer(LIVE_INTERVAL_MS, tick);
  try {
    return mergeResults(await Promise.all(generators.map((generator) => generator.run())));
  } finally {
    ticks.cancel();
  }
}

function liveText({ kind }: BenchOptions, latencies: Latencies): string {
  const rate = formatRate((latencies.count * 1_000) / LIVE_INTERVAL_MS);
  const [p50, p99] = [50, 99].map((percent) => latencies.percentileMs(percent).toFixed(2));
  return `${kind}: ${rate} ops/s, p50 ${p50} ms, p99 ${p99} ms`;
}
