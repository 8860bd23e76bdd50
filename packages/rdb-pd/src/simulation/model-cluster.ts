import {
  type Region,
  type RegionId,
  SECOND_MS,
  SeededRandom,
  type StoreId,
  assert,
  clusterVersions,
  peerId,
  storeId,
} from "@flaredb/rdb-base";
import { StoreStatsSchema } from "@flaredb/rdb-proto";
import { create } from "@bufbuild/protobuf";
import { ClusterState, type Moment } from "../cluster/cluster-state.ts";
import { DurableState } from "../cluster/durable-state.ts";
import type { LeaderReport } from "../cluster/region-info.ts";
import { Coordinator } from "../coordinator/coordinator.ts";
import { Planner } from "../coordinator/planner.ts";
import { Readiness } from "../coordinator/readiness.ts";
import { IdReserve } from "../id/id-reserve.ts";
import { pdLimits } from "../limits.ts";
import { OperatorController } from "../operator/operator-controller.ts";
import { type OperatorRecord, isEnded } from "../operator/operator-record.ts";
import { ClusterPlacementView } from "../placement/cluster-placement-view.ts";
import { type PlacementConfig, placementSchema } from "../placement/placement-config.ts";
import { checkers, schedulers } from "../placement/rules.ts";
import { EventQueue } from "./event-queue.ts";
import { ModelStores, type StoreSketch } from "./model-stores.ts";

export interface ModelOptions {
  readonly stores: readonly StoreSketch[];
  readonly config?: Partial<PlacementConfig>;
  readonly seed?: number;
  /** Told of each operator's begin and end. */
  readonly recorded?: (record: OperatorRecord) => void;
}

/** The model begins here, so that no moment is before it. */
const START_MS = 1_000_000;

/**
 * PD's own cluster view, operators, checkers and schedulers over a model of Stores: no network, no disk, and time that
 * passes as fast as it can be reckoned. The model carries out what PD says and reports what came of it.
 */
export class ModelCluster {
  readonly durable = new DurableState();
  readonly cluster: ClusterState;
  readonly controller: OperatorController;
  readonly coordinator: Coordinator;
  readonly view: ClusterPlacementView;
  readonly stores: ModelStores;
  /** The config can be changed on the way. */
  config: PlacementConfig;
  readonly #ids: IdReserve;
  readonly #events = new EventQueue();
  #nowMs = START_MS;
  #heardMs = Number.NEGATIVE_INFINITY;
  #operatorTickMs = START_MS;

  constructor({ stores, config = {}, seed = 1, recorded = () => {} }: ModelOptions) {
    this.config = Object.freeze({ ...placementSchema.parse({}), ...config });
    const random = new SeededRandom(seed);
    this.cluster = new ClusterState(this.durable, START_MS, () => this.config.maxStoreDownTimeMs);
    this.#ids = new IdReserve(
      async (count) => this.durable.takeIds(count),
      (error) => {
        throw error;
      },
    );
    this.controller = new OperatorController({
      region: (id) => this.cluster.region(id),
      condition: (id) => {
        const store = this.durable.stores.get(id);
        return store === undefined ? undefined : this.cluster.condition(store, this.#nowMs);
      },
      config: () => this.config,
      takeId: () => this.#ids.take(),
      send: (id, command) => this.stores.send(id, command),
      recorded: (record) => {
        // Its Region is free again: whoever waits for it looks at it soon, as PD's own shell has it.
        if (isEnded(record)) {
          this.coordinator.regionChanged(record.regionId as RegionId);
        }
        recorded(record);
      },
    });
    this.view = new ClusterPlacementView(
      {
        cluster: this.cluster,
        config: () => this.config,
        influence: (id) => this.controller.influence(id),
        hasOperator: (id) => this.controller.hasOperator(id),
        newPeerId: () => {
          const id = this.#ids.draw();
          assert(id !== undefined, "a decision draws fewer ids than are at hand before it");
          return peerId(id);
        },
        random: (bound) => random.nextInt(bound),
      },
      START_MS,
    );
    this.coordinator = new Coordinator({
      cluster: this.cluster,
      view: this.view,
      checkers: checkers(),
      schedulers: schedulers(),
      planner: new Planner({ controller: this.controller, ids: this.#ids, config: () => this.config }),
      readiness: new Readiness(this.cluster, START_MS - 2 * pdLimits.reportsMaxWaitMs),
      idCount: () => this.#ids.count,
    });
    this.stores = new ModelStores({
      cluster: this.cluster,
      events: this.#events,
      nowMs: () => this.#nowMs,
      report: (report) => this.#take(report),
    });
    for (const sketch of stores) {
      this.addStore(sketch);
    }
  }

  get now(): Moment {
    return { monotonicMs: this.#nowMs, wallMs: this.#nowMs };
  }

  /** Milliseconds of the model's time since its begin. */
  get elapsedMs(): number {
    return this.#nowMs - START_MS;
  }

  /** A new, empty Store that is up. */
  addStore(sketch: StoreSketch): StoreId {
    const id = storeId(this.durable.cluster.nextStoreId);
    this.durable.takeStoreId();
    this.durable.putStore({
      ...{ id, registrationToken: `store ${id}`, address: `store-${id}:1`, httpAddress: `store-${id}:2` },
      ...{ labels: sketch.labels ?? {}, adminLabels: {}, isDraining: false, evictsLeaders: false },
      ...{
        programVersion: "",
        clusterVersion: clusterVersions.newest,
        bootId: 1n,
        startedMs: 0,
        isTombstone: false,
        replacedBy: undefined,
      },
    });
    this.stores.add(id, sketch);
    this.cluster.heard(id, this.now);
    this.#tellStats(id);
    return id;
  }

  /** A Region that is led by the first of its Stores. */
  addRegion(region: Region, sizeBytes: number): void {
    const { nextId } = this.durable.cluster;
    const highest = Math.max(region.id, ...region.peers.map(({ id }) => id));
    if (nextId <= highest) {
      this.durable.updateCluster({ nextId: highest + 1 });
    }
    this.durable.putRegion(region);
    this.stores.lead(region, sizeBytes);
  }

  /** Every Region, by every checker, as the patrol asks them; nothing comes of it. @returns how many want to act */
  lookAtAll(): number {
    const { view, cluster } = this;
    view.refresh(this.#nowMs);
    const asked = checkers();
    let actCount = 0;
    for (const region of this.durable.regions.all()) {
      const info = cluster.infoOf(region);
      const acts = asked.some((checker) => checker.check(info, view).acts);
      this.#ids.returnDrawn();
      actCount += Number(acts);
    }
    return actCount;
  }

  /** What people decided about a Store. */
  mark(id: StoreId, flags: { readonly isDraining?: boolean; readonly evictsLeaders?: boolean }): void {
    const info = this.durable.stores.get(id);
    assert(info !== undefined, "the Store is there");
    this.durable.putStore({ ...info, ...flags });
  }

  /** Lets so much time pass, in steps of the patrol's interval. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    while (this.#nowMs < endMs) {
      await this.step();
    }
  }

  /** Until nothing was planned or under way for so long. @returns whether that was before the limit */
  async runUntilQuiet(quietMs: number, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    let busyMs = this.#nowMs;
    while (this.#nowMs < endMs && this.#nowMs - busyMs < quietMs) {
      await this.step();
      busyMs = this.controller.activeCount > 0 ? this.#nowMs : busyMs;
    }
    return this.#nowMs - busyMs >= quietMs;
  }

  /** One interval of the patrol. */
  async step(): Promise<void> {
    this.#nowMs += this.config.patrolIntervalMs;
    this.#events.runUntil(this.#nowMs);
    this.#keepalives();
    await this.#ids.fill();
    if (this.#nowMs - this.#operatorTickMs >= pdLimits.operatorTickMs) {
      this.#operatorTickMs = this.#nowMs;
      this.controller.tick(this.now);
    }
    this.coordinator.tick(this.now);
    this.durable.takeChangedRows();
  }

  #keepalives(): void {
    this.cluster.liveness.pulse(this.#nowMs);
    if (this.#nowMs - this.#heardMs < pdLimits.keepaliveEveryMs) {
      return;
    }
    this.#heardMs = this.#nowMs;
    for (const { id } of this.durable.stores.values()) {
      if (this.stores.isAlive(id)) {
        this.cluster.heard(id, this.now);
        this.#tellStats(id);
      }
    }
  }

  #tellStats(id: StoreId): void {
    const { capacityBytes, isSlow } = this.stores.sketch(id);
    const usedBytes = this.cluster.index.of(id).sizeBytes;
    this.cluster.activity(id).stats = create(StoreStatsSchema, {
      capacityBytes: BigInt(capacityBytes),
      usedBytes: BigInt(usedBytes),
      availableBytes: BigInt(Math.max(0, capacityBytes - usedBytes)),
      isSlow: isSlow ?? false,
      uptimeMs: BigInt(this.elapsedMs + SECOND_MS),
    });
  }

  /** As PD takes a report from a Store's stream, with the log left out. */
  #take(report: LeaderReport): void {
    for (const region of this.cluster.routesToRecord([report])) {
      this.durable.putRegion(region);
    }
    this.cluster.observe([report], this.#nowMs);
    this.controller.regionChanged(report.regionId, this.now);
    this.coordinator.regionChanged(report.regionId);
  }
}
