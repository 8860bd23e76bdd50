import { readFileSync } from "node:fs";
import { TestCluster } from "../../e2e/cluster.ts";
import { rdb } from "../../e2e/run-cli.ts";
import { LocalGenerator, systemGeneratorPorts } from "../../packages/rdb-cli/src/bench/generator.ts";
import { parseBenchOptions } from "../../packages/rdb-cli/src/bench/options.ts";
import { KEY_COUNT, STORE_CONFIG } from "./flaredb-side.ts";

const DEADLINE_MS = 10_000;
const SAMPLE_INTERVAL_MS = 1_000;
const WARM_UP_SECONDS = 2;

/** What is to be found out. */
export interface OverloadOptions {
  readonly op: "put" | "get";
  /** With which the cluster is at its peak. */
  readonly clients: number;
  /** Times so many clients, one after the other. */
  readonly factors: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
}

/** What one load came to. */
export interface OverloadRow {
  readonly factor: number;
  readonly clients: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests that went out again, because a Store was busy, no leader, or gone; of calls that were answered. */
  readonly sentAgain: number;
  /** Calls that failed, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of each Store, a value a second. */
  readonly memoryMiB: readonly (readonly number[])[];
}

/** Starts PD and three Stores, loads them in turns, and removes everything. */
export async function measureOverload(options: OverloadOptions): Promise<OverloadRow[]> {
  const cluster = await TestCluster.start({ storeConfig: STORE_CONFIG });
  try {
    const keys = ["--keys", String(KEY_COUNT), "--pd", cluster.pdAddress];
    const filled = await rdb(["bench", "put", "--fill", "--total", "1", "--warm-up", "0", ...keys]);
    if (filled.exitCode !== 0) {
      throw new Error(`the cluster cannot be filled: ${filled.stderr}`);
    }
    const rows: OverloadRow[] = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const factor of options.factors) {
        rows.push(await load(cluster, options, factor));
      }
    }
    return rows;
  } finally {
    await cluster.dispose();
  }
}

async function load(cluster: TestCluster, options: OverloadOptions, factor: number): Promise<OverloadRow> {
  const clients = options.clients * factor;
  const parsed = parseBenchOptions(options.op, {
    clients: String(clients),
    seconds: String(options.seconds),
    warmUp: String(WARM_UP_SECONDS),
    keys: String(KEY_COUNT),
  });
  let sentAgain = 0;
  const generator = new LocalGenerator(
    parsed,
    { pdAddresses: [cluster.pdAddress], deadlineMs: DEADLINE_MS },
    {
      ...systemGeneratorPorts,
      connect: () =>
        cluster.connect({
          deadlineMs: DEADLINE_MS,
          onAnswer: ({ attemptCount }) => {
            sentAgain += attemptCount - 1;
          },
        }),
    },
  );
  const memoryMiB = cluster.stores.map(() => [] as number[]);
  const sample = (): void => {
    for (const [place, { pid }] of cluster.stores.entries()) {
      memoryMiB[place]?.push(residentMiB(pid));
    }
  };
  sample();
  const ticks = setInterval(sample, SAMPLE_INTERVAL_MS);
  try {
    await generator.prepare();
    // What the warm-up sent again is none of what is measured.
    sentAgain = 0;
    const { calls, elapsedMs, errors, latencies } = await generator.run();
    const { p50Ms, p99Ms } = latencies.percentiles();
    const opsPerSecond = (calls * 1_000) / elapsedMs;
    return { factor, clients, opsPerSecond, p50Ms, p99Ms, sentAgain, errors, memoryMiB };
  } finally {
    clearInterval(ticks);
    generator.close();
  }
}

/** Resident memory of a process; 0 when it is gone. */
function residentMiB(pid: number | undefined): number {
  if (pid === undefined) {
    return 0;
  }
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024);
}
