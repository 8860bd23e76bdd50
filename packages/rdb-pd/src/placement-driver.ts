import { type Clock, type Logger, RdbError, type RegionId, type StoreId } from "@flaredb/rdb-base";
import type { StoreStats } from "@flaredb/rdb-proto";
import type { ClusterState, Moment, StoreView } from "./cluster/cluster-state.ts";
import type { RegionInfo, Report } from "./cluster/region-info.ts";
import type { StoreInfo } from "./cluster/store-info.ts";
import type { Registration } from "./command/command.ts";
import { type HeartbeatStream, HeartbeatStreams } from "./heartbeat/heartbeat-streams.ts";
import { createPeerCommands, reportAllCommand, storeListCommand } from "./heartbeat/stream-commands.ts";
import { IdAllocator } from "./id/allocator.ts";
import type { CommandLog } from "./member/command-log.ts";
import { storeToProto } from "./rpc/view-codec.ts";

export interface PlacementDriverOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who a heartbeat is from. */
export interface Sender {
  readonly clusterId: number;
  readonly storeId: StoreId;
  readonly bootId: bigint;
}

/** What a Store says every 30 s. */
export interface StoreHeartbeat {
  readonly sender: Sender;
  readonly stats: StoreStats | undefined;
  readonly reports: readonly Report[];
  /** Over all reports of that Store. */
  readonly digest: Uint8Array;
}

/**
 * The placement driver between its edges: takes what Stores say into the cluster's state, what must last through the
 * log, and tells Stores what to do. Knows no protocol and no disk.
 */
export class PlacementDriver {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ids: IdAllocator;
  readonly #streams = new HeartbeatStreams();
  /** Whether the placement of the initial Regions is on its way through the log. */
  #isPlacing = false;

  constructor(options: PlacementDriverOptions) {
    this.cluster = options.cluster;
    this.log = options.log;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#ids = new IdAllocator(async (count) => {
      const { firstId } = await this.log.propose({ kind: "LeaseIds", count });
      return firstId;
    });
  }

  get clusterId(): number {
    return this.cluster.durable.cluster.clusterId;
  }

  /** Every Store, tombstones included. */
  storeViews(): StoreView[] {
    return this.cluster.storeViews(this.#clock.monotonicMs());
  }

  ledRegionCount(): number {
    return this.cluster.ledRegionCount(this.#clock.monotonicMs());
  }

  /** The first of `count` consecutive ids. Errors: see {@link IdAllocator.allocate}. */
  allocateIds(count: number): Promise<number> {
    return this.#ids.allocate(count);
  }

  /**
   * A Store's first call at each start.
   *
   * @throws RdbError RDB_CLUSTER_MISMATCH for a Store of another cluster; what `registerStore` refuses
   */
  async registerStore(clusterId: number, registration: Registration): Promise<StoreInfo> {
    if (clusterId !== 0) {
      this.#checkCluster(clusterId, registration.storeId);
    }
    const { store, replaced } = await this.log.propose({
      kind: "RegisterStore",
      registration,
      silentStoreIds: this.cluster.silentStoreIds(this.#clock.monotonicMs()),
    });
    this.cluster.registered(store);
    this.cluster.heard(store.id, this.#now());
    this.#logger.info(
      { store: store.id, address: store.address, bootId: String(store.bootId), labels: store.labels },
      registration.storeId === undefined ? "new store registered" : "store registered",
    );
    if (replaced !== undefined) {
      this.#logger.warn(
        { store: replaced.id, replacedBy: store.id, address: store.address },
        "silent store is gone for good: another took its address",
      );
    }
    this.#pushStoreList();
    await this.#placeInitialRegions();
    return store;
  }

  /**
   * Takes a Store's health and reports in.
   *
   * @returns whether the Store is to send all of its Regions, because its digest is not that of what PD knows
   * @throws RdbError see {@link PlacementDriver.checkSender}
   */
  async storeHeartbeat(heartbeat: StoreHeartbeat): Promise<boolean> {
    const { sender, reports } = heartbeat;
    this.checkSender(sender);
    const activity = this.cluster.activity(sender.storeId);
    activity.stats = heartbeat.stats ?? activity.stats;
    await this.#takeReports(sender.storeId, reports);
    return !activity.reconcile(reports, heartbeat.digest);
  }

  /**
   * Opens the stream on which a Store hears PD's commands. It begins with the Stores' addresses, and with the wish to
   * hear everything when PD does not know it yet.
   *
   * @throws RdbError see {@link PlacementDriver.checkSender}; RDB_CLOSED while PD stops
   */
  openStream(sender: Sender): HeartbeatStream {
    this.checkSender(sender);
    const stream = this.#streams.open(sender.storeId, sender.bootId);
    stream.commands.push(this.#storeList());
    if (!this.cluster.activity(sender.storeId).isComplete) {
      stream.commands.push(reportAllCommand());
    }
    return stream;
  }

  closeStream(stream: HeartbeatStream, error?: RdbError): void {
    this.#streams.close(stream, error);
  }

  /**
   * One message of the stream: a keepalive, with the changes that the Store has to tell.
   *
   * @throws RdbError see {@link PlacementDriver.checkSender}; RDB_INVALID_ARGUMENT from another Store than before
   */
  async regionHeartbeat(stream: HeartbeatStream, sender: Sender, reports: readonly Report[]): Promise<void> {
    this.checkSender(sender);
    if (sender.storeId !== stream.storeId || sender.bootId !== stream.bootId) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        `store_id ${sender.storeId} differs from the stream's store ${stream.storeId}, or its boot_id does`,
        { details: { field: "store_id" } },
      );
    }
    this.cluster.heard(sender.storeId, this.#now());
    if (reports.length > 0) {
      this.cluster.activity(sender.storeId).merge(reports);
      this.cluster.steppedDown(reports);
      await this.#takeReports(sender.storeId, reports);
    }
    await this.#placeInitialRegions();
    this.#pushCreatePeers(stream);
  }

  /**
   * @throws RdbError RDB_CLUSTER_MISMATCH, RDB_NOT_FOUND for a Store that never registered, RDB_DATA_FOREIGN for one
   * that is gone for good, RDB_STORE_NOT_MATCH when another process of the Store registered since
   */
  checkSender(sender: Sender): void {
    const { storeId } = sender;
    this.#checkCluster(sender.clusterId, storeId);
    const store = this.cluster.durable.stores.get(storeId);
    if (store === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `store ${storeId} is not registered`, { details: { storeId } });
    }
    if (store.isTombstone) {
      throw new RdbError(
        "RDB_DATA_FOREIGN",
        `store ${storeId} is gone for good: store ${store.replacedBy} took its address ${store.address}`,
        { details: { storeId } },
      );
    }
    if (store.bootId !== sender.bootId) {
      throw new RdbError(
        "RDB_STORE_NOT_MATCH",
        `store ${storeId} was registered by another process since: two processes must not share its data`,
        { details: { storeId } },
      );
    }
  }

  /** @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED before the initial Regions are placed */
  checkBootstrapped(): void {
    const { bootstrapped, config } = this.cluster.durable.cluster;
    if (!bootstrapped) {
      const upCount = this.cluster.upStoreIds(this.#clock.monotonicMs()).length;
      throw new RdbError(
        "RDB_CLUSTER_NOT_BOOTSTRAPPED",
        `the cluster has no regions yet: ${upCount} of ${config?.bootstrapStoreCount ?? 0} stores are up`,
        { details: { upStoreCount: upCount, bootstrapStoreCount: config?.bootstrapStoreCount ?? 0 } },
      );
    }
  }

  /**
   * The Region that holds the key, or with `before` the keys just below it.
   *
   * @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED; RDB_REGION_NOT_FOUND while a split is known only in part
   */
  regionOf(key: Uint8Array, before: boolean): RegionInfo {
    this.checkBootstrapped();
    const { regions } = this.cluster.durable;
    const region = before ? regions.before(key) : regions.holding(key);
    if (region === undefined) {
      throw new RdbError("RDB_REGION_NOT_FOUND", "the key's region is just changing its range: ask again");
    }
    return this.cluster.infoOf(region);
  }

  /** @throws RdbError RDB_CLUSTER_NOT_BOOTSTRAPPED; RDB_NOT_FOUND */
  regionById(id: RegionId): RegionInfo {
    this.checkBootstrapped();
    const info = this.cluster.region(id);
    if (info === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `region ${id} is not known`, { details: { regionId: id } });
    }
    return info;
  }

  /** @throws RdbError RDB_NOT_FOUND */
  storeById(id: StoreId): StoreView {
    const view = this.storeViews().find(({ store }) => store.id === id);
    if (view === undefined) {
      throw new RdbError("RDB_NOT_FOUND", `store ${id} is not known`, { details: { storeId: id } });
    }
    return view;
  }

  /** Ends all streams. */
  close(): void {
    this.#streams.closeAll();
  }

  async #takeReports(storeId: StoreId, reports: readonly Report[]): Promise<void> {
    const regions = this.cluster.routesToRecord(reports);
    if (regions.length > 0) {
      const { accepted } = await this.log.propose({ kind: "UpdateRoutes", regions });
      this.#logger.info({ store: storeId, regions: accepted }, "routes recorded");
    }
    for (const { regionId, reason } of this.cluster.observe(reports, this.#clock.wallMs())) {
      this.#logger.debug({ store: storeId, region: regionId, reason }, "report ignored");
    }
  }

  /** Once enough Stores are up; they are told at once. */
  async #placeInitialRegions(): Promise<void> {
    const { bootstrapped, config } = this.cluster.durable.cluster;
    const upStoreIds = this.cluster.upStoreIds(this.#clock.monotonicMs());
    if (
      bootstrapped ||
      config === undefined ||
      this.#isPlacing ||
      upStoreIds.length < config.bootstrapStoreCount
    ) {
      return;
    }
    this.#isPlacing = true;
    try {
      const storeIds = upStoreIds.slice(0, config.bootstrapStoreCount);
      const { regions } = await this.log.propose({ kind: "PlaceInitialRegions", storeIds });
      this.#logger.info({ stores: storeIds, regions: regions.length }, "initial regions placed");
    } finally {
      this.#isPlacing = false;
    }
    for (const stream of this.#streams.all()) {
      this.#pushCreatePeers(stream);
    }
  }

  #pushCreatePeers(stream: HeartbeatStream): void {
    for (const command of createPeerCommands(this.cluster.durable, stream.storeId)) {
      if (!stream.commands.push(command)) {
        // The reader is behind by a whole queue, or gone; the next keepalive says it again.
        return;
      }
    }
  }

  #pushStoreList(): void {
    const command = this.#storeList();
    for (const stream of this.#streams.all()) {
      stream.commands.push(command);
    }
  }

  #storeList(): ReturnType<typeof storeListCommand> {
    return storeListCommand(this.presentStores().map(storeToProto));
  }

  /** Stores that are not gone for good. */
  presentStores(): StoreView[] {
    return this.storeViews().filter((view) => !view.store.isTombstone);
  }

  #checkCluster(clusterId: number, storeId: StoreId | undefined): void {
    if (clusterId !== this.clusterId) {
      throw new RdbError(
        "RDB_CLUSTER_MISMATCH",
        `${storeId === undefined ? "the store" : `store ${storeId}`} belongs to cluster ${clusterId}, this is cluster ${this.clusterId}: point it at its own placement driver, or start it with an empty data folder`,
        { details: { clusterId, expected: this.clusterId } },
      );
    }
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }
}
