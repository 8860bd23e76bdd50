import { type Clock, type RegionId, type StoreId, type Timer, hasCode } from "@flaredb/rdb-base";
import type { RegionFlowReport, StoreFlow } from "@flaredb/rdb-proto";
import { reachable } from "../http/api/leader-location.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import type { AskStoreFlow } from "./ask-store.ts";
import { FlowHistory, type FlowPoint } from "./flow-history.ts";
import type { RegionFlow } from "./heat-column.ts";
import { HeatMap, type HeatQuery, type HeatView } from "./heat-map.ts";
import { trafficLimits } from "./limits.ts";

export interface TrafficOptions {
  readonly clock: Clock;
  readonly askStore: AskStoreFlow;
  /** @throws RdbError RDB_NOT_LEADER while this member of PD does not lead */
  readonly driver: () => PlacementDriver;
}

/**
 * What the cluster is asked for, now and over the last hours, as long as this member of PD leads: asks Stores for what
 * they served, every few seconds while somebody looks at it, and seldom otherwise.
 */
export class Traffic {
  readonly #options: TrafficOptions;
  /** Whose traffic this is: another leadership begins with nothing. */
  #driver: PlacementDriver | undefined;
  #flows = new FlowHistory();
  #heat = new HeatMap();
  #watchedMs = Number.NEGATIVE_INFINITY;
  #sampledMs = 0;
  #timer: Timer | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  start(): void {
    this.#later(0);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** @throws RdbError RDB_NOT_LEADER */
  points(): readonly FlowPoint[] {
    this.#watched();
    return this.#flows.points;
  }

  /** @throws RdbError RDB_NOT_LEADER */
  heat(query: HeatQuery): HeatView {
    this.#watched();
    return this.#heat.view(query);
  }

  #watched(): void {
    this.#options.driver();
    const { clock } = this.#options;
    const wasWatched = this.#isWatched();
    this.#watchedMs = clock.monotonicMs();
    if (!wasWatched && !this.#isLooking) {
      this.#later(0);
    }
  }

  #isWatched(): boolean {
    return this.#options.clock.monotonicMs() - this.#watchedMs < trafficLimits.watchedForMs;
  }

  #later(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#isClosed) {
      this.#timer = this.#options.clock.setTimer(delayMs, () => void this.#look());
    }
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    this.#isLooking = true;
    const driver = this.#leading();
    if (driver !== undefined) {
      const flows = await this.#ask(driver);
      const nowMs = this.#options.clock.wallMs();
      this.#flows.observe(flows, nowMs);
      this.#sample(driver, flows, nowMs);
    }
    this.#isLooking = false;
    const { watchedEveryMs, unwatchedEveryMs } = trafficLimits;
    this.#later(this.#isWatched() ? watchedEveryMs : unwatchedEveryMs);
  }

  #leading(): PlacementDriver | undefined {
    let driver: PlacementDriver | undefined;
    try {
      driver = this.#options.driver();
    } catch (error) {
      if (!hasCode(error, "RDB_NOT_LEADER") && !hasCode(error, "RDB_CLOSED")) {
        throw error;
      }
    }
    if (driver !== this.#driver) {
      this.#driver = driver;
      this.#flows = new FlowHistory();
      this.#heat = new HeatMap();
      this.#sampledMs = this.#options.clock.wallMs();
    }
    return driver;
  }

  async #ask(driver: PlacementDriver): Promise<Map<StoreId, StoreFlow>> {
    const stores = driver.lookup.presentStores().filter(({ condition }) => condition === "Up");
    const answers = await Promise.all(
      stores.map(async ({ store }): Promise<[StoreId, StoreFlow] | undefined> => {
        try {
          return [store.id, await this.#options.askStore(reachable(store.httpAddress, store.address))];
        } catch {
          // It is starting, on its way out, or unreachable from here: then it is left out of this look. That it does not
          // answer is told by its heartbeats.
          return undefined;
        }
      }),
    );
    return new Map(answers.filter((answer) => answer !== undefined));
  }

  #sample(driver: PlacementDriver, flows: ReadonlyMap<StoreId, StoreFlow>, nowMs: number): void {
    const reports = new Map<RegionId, RegionFlowReport>(
      [...flows.values()].flatMap(({ regions }) => regions.map((region) => [region.id as RegionId, region])),
    );
    this.#heat.sample(regionFlows(driver, reports), Math.min(this.#sampledMs, nowMs), nowMs);
    this.#sampledMs = nowMs;
  }
}

/** Of every Region, in the order of their keys. */
function regionFlows(
  driver: PlacementDriver,
  reports: ReadonlyMap<RegionId, RegionFlowReport>,
): RegionFlow[] {
  return [...driver.cluster.durable.regions.all()].map(({ id, startKey }) => {
    const report = reports.get(id);
    return {
      startKey,
      writtenBytes: report?.writtenBytes ?? 0,
      writtenKeys: report?.writtenKeys ?? 0,
      readBytes: report?.readBytes ?? 0,
      readKeys: report?.readKeys ?? 0,
    };
  });
}
