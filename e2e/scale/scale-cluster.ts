import { StoreState, type StoreStatus } from "@flaredb/rdb-proto";
import type { TestStore } from "../cluster.ts";
import { ElasticCluster } from "../elastic/elastic-cluster.ts";
import { pause, waitFor } from "../wait.ts";

const CALL_TIMEOUT_MS = 5_000;
/** Longer than this nothing here may take. */
const PATIENCE_MS = 200_000;
/** PD evens leaders out and has peers compared, which wakes a few Regions at any time. */
const ASLEEP_MIN_PART = 0.99;
/** Between two looks: each makes a Store look at all its Regions. */
const LOOK_INTERVAL_MS = 250;

/** What a Store tells of itself. */
interface StoreHealthView {
  readonly regionCount: number;
  readonly asleepCount: number;
}

export interface ScaleOptions {
  readonly regionCount: number;
  /** Default: 3. With fewer, Regions have as many peers as there are Stores. */
  readonly storeCount?: number;
  /** Default: `warn`. From `info` on a Store tells of every change of a leader. */
  readonly storeLogLevel?: "info" | "warn";
}

/** Stores with many initial Regions, leaders spread, with no other load than what is put on them. */
export class ScaleCluster {
  readonly cluster: ElasticCluster;
  readonly regionCount: number;

  static async start({
    regionCount,
    storeCount = 3,
    storeLogLevel = "warn",
  }: ScaleOptions): Promise<ScaleCluster> {
    const cluster = await ElasticCluster.start({
      bootstrapStores: storeCount,
      pdConfig: {
        initialSplitKeys: splitKeys(regionCount),
        replicas: Math.min(3, storeCount),
        logLevel: "warn",
      },
      storeConfig: { logLevel: storeLogLevel },
      servingTimeoutMs: PATIENCE_MS,
    });
    return new ScaleCluster(cluster, regionCount);
  }

  private constructor(cluster: ElasticCluster, regionCount: number) {
    this.cluster = cluster;
    this.regionCount = regionCount;
  }

  /** A key in the Region at this place, counted from 0. */
  keyIn(place: number): string {
    return `${place === 0 ? "" : splitKey(place)}/x`;
  }

  get stores(): readonly TestStore[] {
    return this.cluster.stores;
  }

  /** Waits until 99 of 100 Regions sleep on each Store that runs. */
  async allAsleep(): Promise<void> {
    await waitFor("the Regions asleep", PATIENCE_MS, async () => {
      await pause(LOOK_INTERVAL_MS);
      for (const store of this.stores.filter(({ isRunning }) => isRunning)) {
        const { regionCount, asleepCount } = await health(store);
        if (regionCount !== this.regionCount || asleepCount < ASLEEP_MIN_PART * regionCount) {
          return false;
        }
      }
      return true;
    });
  }

  /** Waits until every Region is led by a Store that runs, as PD knows it. */
  async allLed(): Promise<void> {
    await waitFor("a live leader for every Region", PATIENCE_MS, async () => {
      const running = new Set(this.stores.filter(({ isRunning }) => isRunning).map(({ address }) => address));
      await pause(LOOK_INTERVAL_MS);
      const statuses = (await this.#statuses()).filter(({ store }) => running.has(store?.address ?? ""));
      return statuses.reduce((sum, { leaderCount }) => sum + leaderCount, 0) === this.regionCount;
    });
  }

  /** Waits until PD counts every Store as up. */
  async allUp(): Promise<void> {
    await waitFor("every Store up", PATIENCE_MS, async () => {
      const statuses = await this.#statuses();
      return statuses.filter(({ store }) => store?.state === StoreState.UP).length === this.stores.length;
    });
  }

  /** Places of the Regions that the Store leads, as PD knows them. */
  async ledBy(store: TestStore): Promise<number[]> {
    const storeId = await this.cluster.idOf(store);
    const { regions } = await this.cluster.look();
    return regions.flatMap((route, place) => (route.leader?.storeId === storeId ? [place] : []));
  }

  /** What the Stores logged of the Region at this place from then on, in the order in which it happened. */
  async logOf(place: number, fromUnixMs: number): Promise<string[]> {
    const { regions } = await this.cluster.look();
    const regionId = Number(regions[place]?.region?.id);
    const lines = this.stores.flatMap((store) =>
      store
        .log()
        .split("\n")
        .flatMap((text) => {
          const line = logLine(text);
          const isWanted = line?.region === regionId && line.time >= fromUnixMs;
          return isWanted ? [{ time: line.time, text: `${store.plan.name}: ${text}` }] : [];
        }),
    );
    return lines.toSorted((a, b) => a.time - b.time).map(({ text }) => text);
  }

  async #statuses(): Promise<StoreStatus[]> {
    return (await this.cluster.pd.listStores({}, { timeoutMs: CALL_TIMEOUT_MS })).statuses;
  }
}

/** Where the Region at this place begins; the first begins at the empty key. */
function splitKey(place: number): string {
  return place.toString(16).padStart(4, "0");
}

/** Keys that cut the key space into so many Regions. */
export function splitKeys(regionCount: number): string[] {
  return Array.from({ length: regionCount - 1 }, (_, at) => splitKey(at + 1));
}

/** Undefined: it is no whole line. */
function logLine(text: string): { readonly time: number; readonly region?: number } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function health(store: TestStore): Promise<StoreHealthView> {
  const response = await fetch(`${store.httpUrl}/health`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  return (await response.json()) as StoreHealthView;
}
