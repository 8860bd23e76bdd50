import { assert } from "@flaredb/rdb-base";
import { FaultPlan } from "./fault-plan.ts";
import type { ProcessClockOptions } from "./process-clock.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { Workload } from "./workload.ts";

const FAULT_MS = 12_000;
const CLIENT_COUNT = 4;
const TRACE_LINES = 300;

/** Short logs, quick sleep, and a disk that counts as slow soon: what faults are to meet. */
export const FAULTY_CONFIG = {
  hibernateAfterMs: 300,
  logGc: { maxEntries: 20, checkIntervalMs: 100 },
  slowDiskMs: 500,
} as const;

/** `FLAREDB_SEEDS` seeds (8) from `FLAREDB_FIRST_SEED` (1), and those that found something once. */
export function faultSeeds(...found: readonly number[]): number[] {
  const count = Number(process.env["FLAREDB_SEEDS"] ?? 8);
  const first = Number(process.env["FLAREDB_FIRST_SEED"] ?? 1);
  return [...new Set([...Array.from({ length: count }, (_, place) => first + place), ...found])];
}

/** Clocks as far apart as is allowed, and wall clocks anywhere. */
export function skewedClocks(place: number): ProcessClockOptions {
  return { rate: 0.95 + 0.05 * (place % 3), wallOffsetMs: place * 3_000 };
}

export interface FaultRunOptions {
  readonly seed: number;
  readonly keys: readonly string[];
  /** Longest pause of a client between two calls. */
  readonly pauseMaxMs: number;
  /** Other things that go on meanwhile, from the first call of a client until the faults are over. */
  readonly meanwhile?: {
    start?(): void;
    stop(): void | Promise<void>;
    /** What was done, for whoever reads of a failure. */
    readonly done?: readonly string[];
  };
  /** Once all is repaired and every history was judged. @throws when the Stores are not as they should be */
  converged(): Promise<void>;
}

/**
 * Clients read and write while Stores crash, links break and disks are slow, as the seed says. Afterwards what the clients
 * saw must be linearizable, and no Store may have ended or stopped a peer.
 *
 * @returns how many calls were answered
 */
export async function runAmongFaults(cluster: SimCluster, options: FaultRunOptions): Promise<number> {
  const { seed, keys, pauseMaxMs, meanwhile } = options;
  const faults = new FaultPlan(cluster);
  try {
    const workload = new Workload(cluster, { clientCount: CLIENT_COUNT, keys, pauseMaxMs });
    meanwhile?.start?.();
    await faults.run(FAULT_MS);
    await meanwhile?.stop();
    await workload.stop();
    await workload.judge();
    await options.converged();
    const ended = cluster.stores.flatMap(({ fatalError }) => fatalError ?? []);
    assert(ended.length === 0, `no Store ends by itself: ${ended.join()}`);
    assert(!cluster.trace.has("the peer stops"), "no peer stops");
    return workload.okCount;
  } catch (error) {
    const story = [...faults.done, ...(meanwhile?.done ?? [])].join("\n");
    throw new Error(`seed ${seed}: ${String(error)}\nfaults:\n${story}\n${cluster.trace.tail(TRACE_LINES)}`, {
      cause: error,
    });
  }
}
