import { type Timer, systemClock, systemRandom } from "@flaredb/rdb-base";
import type { Io } from "../io.ts";
import { ProgressLine } from "../output/progress-line.ts";
import { mergeResults } from "./child-messages.ts";
import { fill } from "./fill.ts";
import { type Generator, LocalGenerator, type Target, systemGeneratorPorts } from "./generator.ts";
import { Latencies } from "./latencies.ts";
import type { LoadResult } from "./load.ts";
import type { BenchKind, BenchOptions } from "./options.ts";
import { RemoteGenerator } from "./remote-generator.ts";
import { formatRate } from "./report.ts";

const LIVE_INTERVAL_MS = 1_000;
/** One Ctrl-C may arrive twice: from the terminal, and passed on by npm. */
const REPEAT_AFTER_MS = 700;

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
  let untilRepeat: Timer | undefined;
  const ignoreInterrupts = io.onInterrupt(() => {
    untilRepeat ??= systemClock.setTimer(REPEAT_AFTER_MS, ignoreInterrupts);
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
    const prepared = Promise.all(generators.map((generator) => generator.prepare()));
    // Now that they have been told what to do: what was not begun cannot be stopped.
    if (isInterrupted) {
      generators.forEach((generator) => generator.stop());
    }
    await prepared;
    return { result: await measure(options, generators, line), isInterrupted };
  } finally {
    untilRepeat?.cancel();
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
  const { processes, clients, total } = options;
  const part = (whole: number, place: number): number =>
    Math.floor(whole / processes) + (place < whole % processes ? 1 : 0);
  return Array.from({ length: processes }, (_, place) => ({
    ...options,
    place,
    clients: part(clients, place),
    total: total === undefined ? undefined : part(total, place),
  }));
}

async function measure(
  options: BenchOptions,
  generators: readonly Generator[],
  line: ProgressLine,
): Promise<LoadResult> {
  let ticks: Timer;
  const tick = (): void => {
    line.show(liveText(options.kind, generators));
    ticks = systemClock.setTimer(LIVE_INTERVAL_MS, tick);
  };
  ticks = systemClock.setTimer(LIVE_INTERVAL_MS, tick);
  try {
    return mergeResults(await Promise.all(generators.map((generator) => generator.run())));
  } finally {
    ticks.cancel();
  }
}

// What was answered since the last look, as fast as it came: timers are late when there is much to do.
function liveText(kind: BenchKind, generators: readonly Generator[]): string {
  const latencies = new Latencies();
  let perSecond = 0;
  for (const generator of generators) {
    const taken = generator.takeInterval();
    latencies.add(taken);
    perSecond += (taken.count * 1_000) / Math.max(1, generator.intervalMs);
  }
  if (latencies.count === 0) {
    return `${kind}: no answer in the last second`;
  }
  const [p50, p99] = [50, 99].map((percent) => latencies.percentileMs(percent).toFixed(2));
  return `${kind}: ${formatRate(perSecond)} ops/s, p50 ${p50} ms, p99 ${p99} ms`;
}
