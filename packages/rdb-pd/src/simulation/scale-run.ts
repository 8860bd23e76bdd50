import { GiB, MINUTE_MS, MiB, SECOND_MS, SeededRandom, type StoreId, storeId } from "@flaredb/rdb-base";
import { ModelCluster } from "./model-cluster.ts";
import { type Spread, leaderSpread, regionSpread } from "./spread.ts";
import { addTiledRegions } from "./tiled-regions.ts";
import { measureReports } from "./report-load.ts";

export interface ScaleOptions {
  readonly storeCount: number;
  readonly regionCount: number;
  readonly seed: number;
  /** CPU time of the process, for what is measured. */
  readonly nowMs: () => number;
  /** Bytes that the process holds. */
  readonly memoryBytes: () => number;
  readonly say: (line: string) => void;
}

export interface ScaleResult {
  readonly loadMs: number;
  /** Of the reports of every peer, as every Store sends them in full. */
  readonly recordCount: number;
  readonly recordsPerSecond: number;
  /** Time that PD's checkers took for one look at every Region. */
  readonly patrolMs: number;
  readonly peakMemoryBytes: number;
  readonly before: { readonly regions: Spread; readonly leaders: Spread };
  readonly after: { readonly regions: Spread; readonly leaders: Spread };
  /** Of the model's time, until nothing was left to do. */
  readonly balancedAfterMs: number;
  readonly isQuiet: boolean;
  readonly changeCount: number;
}

/** Part of the Stores that are new and empty at the beginning. */
const EMPTY_PART = 0.01;
/** Balance gets so long, of the model's time. */
const BALANCE_LIMIT_MS = 60 * MINUTE_MS;
const QUIET_MS = 20 * SECOND_MS;

/** A big cluster with some new Stores: how PD bears its reports, its patrol and its balance. */
export async function runScale(options: ScaleOptions): Promise<ScaleResult> {
  const { storeCount, nowMs, say } = options;
  const loadedMs = nowMs();
  const model = bigCluster(options);
  const loadMs = nowMs() - loadedMs;
  let peakMemoryBytes = options.memoryBytes();
  const watch = (): void => {
    peakMemoryBytes = Math.max(peakMemoryBytes, options.memoryBytes());
  };
  const before = { regions: regionSpread(model), leaders: leaderSpread(model) };
  say(`${options.regionCount} regions on ${storeCount} stores are known after ${Math.round(loadMs)} ms`);

  const records = measureReports(model, nowMs);
  watch();
  say(`${records.count} records of full heartbeats: ${Math.round(records.perSecond)} a second`);

  const patrolMs = measurePatrol(model, nowMs);
  say(`a look at every region by every checker: ${Math.round(patrolMs)} ms`);

  const { isQuiet, balancedAfterMs } = await balance(model, watch, say);
  const after = { regions: regionSpread(model), leaders: leaderSpread(model) };
  return {
    ...{ loadMs, recordCount: records.count, recordsPerSecond: records.perSecond, patrolMs, peakMemoryBytes },
    ...{ before, after, balancedAfterMs, isQuiet, changeCount: model.stores.changeCount },
  };
}

/** Three zones; peers lie in all three, by chance, but none on the new Stores. */
function bigCluster({ storeCount, regionCount, seed }: ScaleOptions): ModelCluster {
  const random = new SeededRandom(seed);
  const zones = 3;
  const stores = Array.from({ length: storeCount }, (_, at) => ({
    capacityBytes: 2_000 * GiB,
    labels: { zone: `z${at % zones}`, host: `h${at}` },
  }));
  const model = new ModelCluster({
    stores,
    seed,
    // What a cluster of this size is set to: so many moves at a time, for its many and fast Stores.
    config: {
      regionLimit: storeCount * 8,
      leaderLimit: storeCount * 4,
      replicaLimit: storeCount * 8,
      storeAddLimit: 64,
      patrolIntervalMs: 500,
    },
  });
  const filledCount = Math.max(zones, Math.floor(storeCount * (1 - EMPTY_PART)));
  const perZone = Math.floor(filledCount / zones);
  addTiledRegions(model, {
    regionCount,
    storesOf: (at) => {
      const first = at % zones;
      return [0, 1, 2].map((turn): StoreId => {
        const zone = (first + turn) % zones;
        return storeId(zone + zones * random.nextInt(perZone) + 1);
      });
    },
    sizeBytesOf: () => (32 + random.nextInt(64)) * MiB,
  });
  return model;
}

/** Every Region, by every checker, as the patrol asks them. */
function measurePatrol(model: ModelCluster, nowMs: () => number): number {
  const startMs = nowMs();
  model.lookAtAll();
  return nowMs() - startMs;
}

async function balance(
  model: ModelCluster,
  watch: () => void,
  say: (line: string) => void,
): Promise<{ readonly isQuiet: boolean; readonly balancedAfterMs: number }> {
  const startMs = model.elapsedMs;
  for (;;) {
    const isQuiet = await model.runUntilQuiet(QUIET_MS, MINUTE_MS);
    watch();
    const elapsedMs = model.elapsedMs - startMs;
    const [regions, leaders] = [regionSpread(model), leaderSpread(model)];
    say(
      `after ${Math.round(elapsedMs / SECOND_MS)} s of the model: regions ${describe(regions)}, leaders ${describe(leaders)}, ${model.controller.activeCount} operators run`,
    );
    if (isQuiet || elapsedMs >= BALANCE_LIMIT_MS) {
      return { isQuiet, balancedAfterMs: isQuiet ? elapsedMs - QUIET_MS : elapsedMs };
    }
  }
}

function describe({ min, max, deviation }: Spread): string {
  return `${min}..${max} (${(deviation * 100).toFixed(1)} % off)`;
}
