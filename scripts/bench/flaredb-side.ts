import { TestCluster } from "../../e2e/cluster.ts";
import type { ManagedProcess } from "../../e2e/managed-process.ts";
import { rdb } from "../../e2e/run-cli.ts";
import { waitFor } from "../../e2e/wait.ts";
import { type BenchKind, parseBenchOptions } from "../../packages/rdb-cli/src/bench/options.ts";
import { RemoteGenerator } from "../../packages/rdb-cli/src/bench/remote-generator.ts";
import { type CpuCost, type CpuTime, NO_TIME, costOf, cpuTimeOf, meanTime } from "./cpu-time.ts";
import { BATCH_ROWS, BULK_CLIENTS, type Case, type Layout, SCAN_ROWS, type Sample } from "./cases.ts";

/** Keys of the benchmark: all of them are there when it begins. */
export const KEY_COUNT = 100_000;
const KEY_DIGITS = 10;
/** With which the costs of a call are found: they fall as batches grow. */
const CPU_CLIENTS = 256;
/** With one Region a change of its leader would count the leader's time as a follower's. */
const CPU_ATTEMPTS = 3;
const SPREAD_TIMEOUT_MS = 60_000;
const DEADLINE_MS = 5_000;
/**
 * Load before anything is measured. V8 compiles the hot path on its own threads for the first ten thousands of calls of
 * each process: a quarter of all processor time of a put over 16 Regions. A Store that runs for hours has that behind it.
 */
const COMPILE_SECONDS = 8;

/** No Region is split where its load is: a case has as many as it says, and one Region may serve all that it can. */
export const STORE_CONFIG = { splitQps: 0 };

/** What one start of a cluster is for. */
export interface FlaredbRun {
  readonly layout: Exclude<Layout, "etcd">;
  readonly clients: readonly number[];
  readonly ops: readonly string[];
  /** Scans and batches too. */
  readonly withBulk: boolean;
  readonly seconds: number;
  /** Processes that make the load. */
  readonly processes: number;
  onSample(sample: Sample): void;
  onCpuCost(cost: CpuCost): void;
}

/**
 * Starts PD and three Stores in a fresh folder, measures each case once, and removes everything.
 *
 * @throws Error when there were not as many Regions at the end as `layout` says: the figures are of something else
 */
export async function measureFlaredb(run: FlaredbRun): Promise<void> {
  const regionCount = run.layout === "1 Region" ? 1 : 16;
  const cluster = await TestCluster.start({
    storeConfig: STORE_CONFIG,
    ...(regionCount === 1 ? {} : { initialRegions: splitKeys(regionCount) }),
  });
  try {
    await waitUntilSpread(cluster, regionCount);
    await bench(cluster, ["batch-put", "--fill", "--total", "1", "--warm-up", "0"]);
    for (const op of run.ops) {
      await bench(cluster, [op, "--clients", String(CPU_CLIENTS), "--seconds", String(COMPILE_SECONDS)]);
    }
    for (const op of run.ops) {
      for (const clients of run.clients) {
        const processes = Math.min(run.processes, clients);
        const args = [op, "--clients", String(clients), "--processes", String(processes)];
        run.onSample(await measure(cluster, { layout: run.layout, op, clients }, args, run.seconds));
      }
    }
    for (const op of run.ops) {
      await measureCpu(cluster, run, op);
    }
    for (const op of run.withBulk ? ["scan", "batch-get", "batch-put"] : []) {
      const size = op === "scan" ? ["--limit", String(SCAN_ROWS)] : ["--batch-size", String(BATCH_ROWS)];
      const args = [op, "--clients", String(BULK_CLIENTS), ...size];
      const measured = { layout: run.layout, op, clients: BULK_CLIENTS };
      run.onSample(await measure(cluster, measured, args, run.seconds));
    }
    const endCount = (await cluster.regions()).length;
    if (endCount !== regionCount) {
      throw new Error(`Regions were split or merged meanwhile: ${run.layout} became ${endCount}`);
    }
    const ends = cluster.unexpectedEnds();
    if (ends.length > 0) {
      throw new Error(ends.join("\n"));
    }
  } finally {
    await cluster.dispose();
  }
}

/** Keys that cut the benchmark's keys into equal parts, by comma. */
export function splitKeys(regionCount: number): string {
  return Array.from({ length: regionCount - 1 }, (_, at) => {
    const id = Math.round(((at + 1) * KEY_COUNT) / regionCount);
    return `bench/${String(id).padStart(KEY_DIGITS, "0")}`;
  }).join(",");
}

// Several Regions on three Stores: until each Store leads its part, it would be a measurement of one Store.
async function waitUntilSpread(cluster: TestCluster, regionCount: number): Promise<void> {
  await waitFor("leaders spread over the Stores", SPREAD_TIMEOUT_MS, async () => {
    const routes = await cluster.regions();
    const counts = Map.groupBy(routes, (route) => route.leader?.storeId);
    const most = Math.max(...[...counts.values()].map((led) => led.length));
    return routes.length >= regionCount && most <= Math.ceil(regionCount / cluster.stores.length) + 1;
  });
}

async function measure(
  cluster: TestCluster,
  measured: Case,
  args: readonly string[],
  seconds: number,
): Promise<Sample> {
  const figures = await bench(cluster, [...args, "--seconds", String(seconds)]);
  const { opsPerSecond, rowsPerSecond, p50Ms, p99Ms, errors } = figures;
  const errorCount = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return { ...measured, opsPerSecond, rowsPerSecond, p50Ms, p99Ms, errorCount };
}

async function measureCpu(cluster: TestCluster, run: FlaredbRun, op: string): Promise<void> {
  for (let attempt = 0; attempt < CPU_ATTEMPTS; attempt++) {
    const costs = await measureCpuOnce(cluster, run, op);
    if (costs !== undefined) {
      costs.forEach((cost) => run.onCpuCost(cost));
      return;
    }
  }
  console.warn(
    `the leader changed each time: what a ${op} costs with ${run.layout} is left out of this round`,
  );
}

// Between warm-up and end, when every call that is made is counted. undefined: nobody was the leader all the time.
async function measureCpuOnce(
  cluster: TestCluster,
  run: FlaredbRun,
  op: string,
): Promise<CpuCost[] | undefined> {
  const generator = cpuGenerator(cluster, run, op);
  try {
    await generator.prepare();
    const leader = await cluster.leaderOf("bench/");
    const groups = processesByRole(cluster, run.layout, leader);
    const look = (): CpuTime[][] => groups.map(({ processes }) => processes.map(({ pid }) => cpuTimeOf(pid)));
    const before = look();
    const { calls, cpuMs } = await generator.run();
    const after = look();
    if (run.layout === "1 Region" && (await cluster.leaderOf("bench/")) !== leader) {
      return undefined;
    }
    const { layout } = run;
    const clientTime = { ...NO_TIME, loop: (cpuMs * 1_000) / Math.max(1, calls) };
    return [
      { layout, op, role: "client", processes: 1, time: clientTime },
      ...groups.map(({ role, processes }, at) => {
        const costs = processes.map((_, place) =>
          costOf(before[at]?.[place] as CpuTime, after[at]?.[place] as CpuTime, calls),
        );
        return { layout, op, role, processes: processes.length, time: meanTime(costs) };
      }),
    ];
  } finally {
    generator.close();
  }
}

/** The cluster's processes by what they do: with several Regions each Store leads some of them. */
function processesByRole(
  { pd, stores }: TestCluster,
  layout: Layout,
  leader: ManagedProcess,
): { readonly role: CpuCost["role"]; readonly processes: readonly ManagedProcess[] }[] {
  const ofStores =
    layout === "1 Region"
      ? ([
          { role: "leader", processes: [leader] },
          { role: "follower", processes: stores.filter((store) => store !== leader) },
        ] as const)
      : ([{ role: "Store", processes: stores }] as const);
  return [...ofStores, { role: "PD", processes: [pd] }];
}

// A process of its own, as `rdb bench` is one, but told to begin: so that no time is counted before its warm-up ended.
function cpuGenerator(cluster: TestCluster, { seconds }: FlaredbRun, op: string): RemoteGenerator {
  const options = parseBenchOptions(op as BenchKind, {
    clients: String(CPU_CLIENTS),
    seconds: String(seconds),
    keys: String(KEY_COUNT),
  });
  return new RemoteGenerator(options, { pdAddresses: [cluster.pdAddress], deadlineMs: DEADLINE_MS });
}

/** What `rdb bench --json` prints, as far as it is used here. */
interface BenchFigures {
  readonly opsPerSecond: number;
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly errors: Readonly<Record<string, number>>;
}

async function bench(cluster: TestCluster, args: readonly string[]): Promise<BenchFigures> {
  const all = ["bench", ...args, "--keys", String(KEY_COUNT), "--pd", cluster.pdAddress, "--json"];
  const { exitCode, stdout, stderr } = await rdb(all);
  if (exitCode !== 0) {
    throw new Error(`rdb ${all.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
  }
  return JSON.parse(stdout) as BenchFigures;
}
