import { Worker } from "node:worker_threads";
import type { Verdict } from "./verdict.ts";

export interface HuntOptions {
  readonly firstSeed: number;
  readonly seedCount: number;
  readonly jobCount: number;
  /** Whether to go on after a violation. */
  readonly keepGoing: boolean;
  readonly onVerdict: (verdict: Verdict) => void;
}

/** A seed that takes longer, in real time, is taken for one that never ends. */
const SEED_REAL_MAX_MS = 120_000;

/**
 * Then a thread is replaced: the composed AbortSignals of simulated processes that died in the middle of a call are
 * kept by Node for as long as the thread lives, and their clusters with them.
 */
const SEEDS_PER_THREAD = 50;

/** Most of what a run allocates dies young: with more room for it a run takes a tenth less time. */
const YOUNG_MB = 192;

/**
 * Runs seeds one after the other, several at the same time, each job in a thread of its own.
 *
 * @returns once all are done, or after the first violation
 */
export async function hunt(options: HuntOptions): Promise<void> {
  const { firstSeed, seedCount } = options;
  let nextSeed = firstSeed;
  let isOver = false;
  const take = (): number | undefined =>
    isOver || nextSeed >= firstSeed + seedCount ? undefined : nextSeed++;
  const finish = (verdict: Verdict): void => {
    if (isOver) {
      // Another job has found what was looked for.
      return;
    }
    isOver = verdict.violation !== undefined && !options.keepGoing;
    options.onVerdict(verdict);
  };
  const jobs = Array.from({ length: Math.min(options.jobCount, seedCount) }, () => job(take, finish));
  await Promise.all(jobs);
}

/** Takes seeds until there is none; a thread that failed or hangs, or has done its part, is replaced. */
async function job(take: () => number | undefined, finish: (verdict: Verdict) => void): Promise<void> {
  let thread = startThread();
  let ranCount = 0;
  for (let seed = take(); seed !== undefined; seed = take()) {
    const outcome = await runOn(thread, seed);
    ranCount++;
    if (outcome.isThreadLost || ranCount === SEEDS_PER_THREAD) {
      await thread.terminate();
      thread = startThread();
      ranCount = 0;
    }
    finish(outcome.verdict);
  }
  await thread.terminate();
}

function startThread(): Worker {
  return new Worker(new URL("./seed-worker.ts", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
}

interface Outcome {
  readonly verdict: Verdict;
  readonly isThreadLost: boolean;
}

function runOn(thread: Worker, seed: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const onMessage = (verdict: Verdict): void => end({ verdict, isThreadLost: false });
    const lost = (reason: string): void => end({ verdict: lostVerdict(seed, reason), isThreadLost: true });
    const onError = (error: unknown): void =>
      lost(error instanceof Error ? (error.stack ?? error.message) : String(error));
    const onExit = (code: number): void => lost(`the thread exited with ${code}`);
    const timer = setTimeout(() => lost(`no end within ${SEED_REAL_MAX_MS} ms`), SEED_REAL_MAX_MS);
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      resolve(outcome);
    };
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    thread.postMessage(seed);
  });
}

function lostVerdict(seed: number, message: string): Verdict {
  return {
    seed,
    violation: { name: "the run ends", message },
    traceHash: "",
    stats: {
      simulatedMs: 0,
      eventCount: 0,
      faultCounts: {},
      okCallCount: 0,
      failedCallCount: 0,
      unknownCallCount: 0,
      electionCount: 0,
      snapshotCount: 0,
    },
  };
}
