import { type Clock, type Logger, type Random, RdbError, type StoreId, type Timer } from "@flaredb/rdb-base";
import type { PeerSurvey, RecoveryResult, RegionHeartbeatResponse, StoreStats } from "@flaredb/rdb-proto";
import { PlacementAdmin } from "./admin/placement-admin.ts";
import { ClusterLookup, type StoreLimitsView } from "./cluster/cluster-lookup.ts";
import type { ClusterState, Moment } from "./cluster/cluster-state.ts";
import { ClusterVersionKeeper } from "./cluster/cluster-version-keeper.ts";
import type { VersionedProcess } from "./cluster/next-cluster-version.ts";
import type { Report } from "./cluster/region-info.ts";
import type { StoreInfo } from "./cluster/store-info.ts";
import type { Registration } from "./command/command.ts";
import { CoordinatorRunner } from "./coordinator/coordinator-runner.ts";
import { EventHub } from "./events/event-hub.ts";
import { StoreWatch } from "./events/store-watch.ts";
import { type HeartbeatStream, HeartbeatStreams } from "./heartbeat/heartbeat-streams.ts";
import {
  createPeerCommands,
  reportAllCommand,
  storeListCommand,
  transferLeaderCommand,
} from "./heartbeat/stream-commands.ts";
import { IdAllocator } from "./id/allocator.ts";
import { pdLimits } from "./limits.ts";
import type { CommandLog } from "./member/command-log.ts";
import { HeartbeatWatch } from "./metrics/heartbeat-watch.ts";
import { countOperator } from "./metrics/operator-events.ts";
import { type PdMetrics, makePdMetrics } from "./metrics/pd-metrics.ts";
import { OperatorRunner } from "./operator/operator-runner.ts";
import type { Refusal } from "./operator/refusal.ts";
import type { PlacementSettings } from "./placement/placement-settings.ts";
import { storeLimits } from "./placement/store-limits.ts";
import { RecoveryDesk } from "./recovery/recovery-desk.ts";
import { storeToProto } from "./rpc/view-codec.ts";
import { InitialLeaderSpread } from "./schedule/initial-leader-spread.ts";
import { type Sender, checkCluster, checkSender } from "./sender-check.ts";

/** Most ids in one line of the log. */
const LOGGED_MAX_COUNT = 20;

export interface PlacementDriverOptions {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  readonly settings: PlacementSettings;
  /** PD's own group, this member too. */
  readonly members: () => readonly VersionedProcess[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What is counted with. Default: nobody looks. */
  readonly metrics?: PdMetrics | undefined;
}

/** What a Store answers about Regions that come back without a quorum. */
export interface RecoveryNews {
  readonly survey: PeerSurvey | undefined;
  readonly results: readonly RecoveryResult[];
}

/** What a Store says every 30 s. */
export interface StoreHeartbeat {
  readonly sender: Sender;
  readonly stats: StoreStats | undefined;
  readonly reports: readonly Report[];
  /** Over all reports of that Store. */
  readonly digest: Uint8Array;
  /** The newest that its program knows. */
  readonly clusterVersion: number;
}

/**
 * The placement driver between its edges: takes what Stores say into the cluster's state, what must last through the
 * log, and tells Stores what to do. Knows no protocol and no disk.
 */
export class PlacementDriver {
  readonly cluster: ClusterState;
  readonly log: CommandLog;
  /** What it answers to who asks. */
  readonly lookup: ClusterLookup;
  readonly operators: OperatorRunner;
  readonly settings: PlacementSettings;
  readonly coordination: CoordinatorRunner;
  /** What happens, for whoever watches. */
  readonly events = new EventHub();
  /** Regions that come back without a quorum. */
  readonly recovery: RecoveryDesk;
  /** What people ask of it. */
  readonly admin: PlacementAdmin;
  /** Measures what Stores say. */
  readonly heartbeats: HeartbeatWatch;
  readonly clusterVersion: ClusterVersionKeeper;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #ids: IdAllocator;
  readonly #streams = new HeartbeatStreams();
  readonly #storeWatch = new StoreWatch(this.events);
  readonly #initialLeaders = new InitialLeaderSpread();
  /** Whether the placement of the initial Regions is on its way through the log. */
  #isPlacing = false;
  #pulse: Timer | undefined;

  constructor(options: PlacementDriverOptions) {
    const { metrics = makePdMetrics() } = options;
    this.cluster = options.cluster;
    this.heartbeats = new HeartbeatWatch(options.clock, metrics);
    this.log = options.log;
    this.lookup = new ClusterLookup(options.cluster, options.clock, (id) => this.#limitsOf(id));
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#ids = new IdAllocator(async (count) => {
      const { firstId } = await this.log.propose({ kind: "LeaseIds", count });
      return firstId;
    });
    this.settings = options.settings;
    this.operators = new OperatorRunner({
      ...options,
      config: () => options.settings.current,
      allocateIds: (count) => this.#ids.allocate(count),
      send: (storeId, command) => this.#streams.send(storeId, command),
      changed: (operator) => {
        countOperator(metrics, operator);
        this.events.emit({ kind: "operator", operator });
      },
    });
    const send = (storeId: StoreId, command: RegionHeartbeatResponse): boolean =>
      this.#streams.send(storeId, command);
    this.coordination = new CoordinatorRunner({
      ...options,
      operators: this.operators,
      metrics,
      send,
      storeBuried: () => this.#pushStoreList(),
    });
    this.recovery = new RecoveryDesk({
      ...options,
      allocateIds: (count) => this.#ids.allocate(count),
      send,
    });
    this.admin = new PlacementAdmin({
      ...options,
      lookup: this.lookup,
      operators: this.operators,
      coordination: this.coordination,
      recovery: this.recovery,
      send,
    });
    this.clusterVersion = new ClusterVersionKeeper({ ...options, raised: () => this.#pushStoreList() });
    this.#schedulePulse();
  }

  /** Notes what the process before this one left undone, and fetches ids; nothing is served before that. */
  async start(): Promise<void> {
    await this.clusterVersion.raise();
    await this.operators.start();
    this.coordination.start();
  }

  get clusterId(): number {
    return this.cluster.durable.cluster.clusterId;
  }

  /** Stores that have their stream open. */
  get streamCount(): number {
    return this.#streams.count;
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
      checkCluster(this.cluster.durable, clusterId, registration.storeId);
    }
    const { store, replaced } = await this.log.propose({
      kind: "RegisterStore",
      registration,
      silentStoreIds: this.cluster.silentStoreIds(this.#clock.monotonicMs()),
    });
    this.cluster.registered(store);
    this.cluster.activity(store.id).clusterVersion = registration.clusterVersion;
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
    await this.clusterVersion.raise();
    this.#pushStoreList();
    await this.#placeInitialRegions();
    return store;
  }

  /**
   * Takes a Store's health and reports in.
   *
   * @returns whether the Store is to send all of its Regions, because its digest is not that of what PD knows
   * @throws RdbError see `checkSender`
   */
  async storeHeartbeat(heartbeat: StoreHeartbeat): Promise<boolean> {
    const { sender, reports } = heartbeat;
    checkSender(this.cluster.durable, sender);
    const activity = this.cluster.activity(sender.storeId);
    activity.stats = heartbeat.stats ?? activity.stats;
    activity.clusterVersion = heartbeat.clusterVersion;
    await this.#takeReports(sender.storeId, reports);
    return !activity.reconcile(reports, heartbeat.digest);
  }

  /**
   * Opens the stream on which a Store hears PD's commands. It begins with the Stores' addresses, and with the wish to
   * hear everything when PD does not know it yet.
   *
   * @throws RdbError see `checkSender`; RDB_CLOSED while PD stops
   */
  openStream(sender: Sender): HeartbeatStream {
    checkSender(this.cluster.durable, sender);
    const stream = this.#streams.open(sender.storeId, sender.bootId);
    stream.commands.push(this.#storeList());
    if (!this.cluster.activity(sender.storeId).isComplete) {
      stream.commands.push(reportAllCommand());
    }
    return stream;
  }

  closeStream(stream: HeartbeatStream, error?: RdbError): void {
    if (this.#streams.close(stream, error)) {
      this.cluster.liveness.hungUp(stream.storeId);
    }
  }

  /**
   * One message of the stream: a keepalive, with the changes that the Store has to tell.
   *
   * @throws RdbError see `checkSender`; RDB_INVALID_ARGUMENT from another Store than before
   */
  async regionHeartbeat(
    stream: HeartbeatStream,
    sender: Sender,
    reports: readonly Report[],
    refusals: readonly Refusal[] = [],
    recovery: RecoveryNews = { survey: undefined, results: [] },
  ): Promise<void> {
    checkSender(this.cluster.durable, sender);
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
    for (const refusal of refusals) {
      this.#logger.debug({ store: sender.storeId, ...refusal }, "command refused");
      this.operators.controller.refused(refusal, this.#now());
    }
    if (recovery.survey !== undefined) {
      this.recovery.surveyed(sender.storeId, recovery.survey);
    }
    await this.recovery.settle(sender.storeId, recovery.results);
    await this.#placeInitialRegions();
    this.#pushCreatePeers(stream);
    this.#pushLeaderMoves(stream);
  }

  /** Ends all streams. */
  close(): void {
    this.#pulse?.cancel();
    this.events.close();
    this.recovery.close();
    this.operators.close();
    this.coordination.close();
    this.#streams.closeAll();
  }

  #schedulePulse(): void {
    this.#pulse = this.#clock.setTimer(pdLimits.pulseEveryMs, () => {
      this.cluster.liveness.pulse(this.#clock.monotonicMs());
      this.recovery.tick(this.#clock.monotonicMs());
      this.#storeWatch.look(() => this.lookup.allStores());
      void this.clusterVersion.raise();
      this.#schedulePulse();
    });
  }

  async #takeReports(storeId: StoreId, reports: readonly Report[]): Promise<void> {
    const regions = this.cluster.routesToRecord(reports);
    const { forming } = this.cluster.durable;
    const whole = regions.filter((region) => forming.has(region.id));
    if (regions.length > 0) {
      const { accepted } = await this.log.propose({ kind: "UpdateRoutes", regions });
      this.#logger.info(
        { store: storeId, count: accepted.length, regions: accepted.slice(0, LOGGED_MAX_COUNT) },
        "routes recorded",
      );
    }
    for (const { id } of whole) {
      this.#initialLeaders.add(id);
    }
    for (const { regionId, reason } of this.cluster.observe(reports, this.#clock.wallMs())) {
      this.#logger.debug({ store: storeId, region: regionId, reason }, "report ignored");
    }
    for (const id of this.cluster.takeChangedRegions()) {
      this.operators.controller.regionChanged(id, this.#now());
      this.coordination.coordinator.regionChanged(id);
      this.events.emit({ kind: "region", regionId: id });
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
      void this.operators.ids.fill();
    } finally {
      this.#isPlacing = false;
    }
    for (const stream of this.#streams.all()) {
      this.#pushCreatePeers(stream);
    }
  }

  #pushCreatePeers(stream: HeartbeatStream): void {
    for (const command of createPeerCommands(this.cluster, stream.storeId)) {
      if (!stream.commands.push(command)) {
        // The reader is behind by a whole queue, or gone; the next keepalive says it again.
        return;
      }
    }
  }

  #pushLeaderMoves(stream: HeartbeatStream): void {
    const monotonicMs = this.#clock.monotonicMs();
    for (const { region, to } of this.#initialLeaders.movesFrom(stream.storeId, this.cluster, monotonicMs)) {
      stream.commands.push(transferLeaderCommand(region, to.id));
      this.#logger.info(
        { region: region.id, from: stream.storeId, to: to.storeId },
        "initial leader is moved",
      );
    }
  }

  #pushStoreList(): void {
    const command = this.#storeList();
    for (const stream of this.#streams.all()) {
      stream.commands.push(command);
    }
  }

  #storeList(): ReturnType<typeof storeListCommand> {
    const stores = this.lookup.presentStores().map(storeToProto);
    return storeListCommand(stores, this.cluster.durable.clusterVersion);
  }

  #limitsOf(id: StoreId): StoreLimitsView {
    const { current } = this.settings;
    const own = current.ownStoreLimits?.get(id);
    const { addingCount, removingCount } = this.operators.controller.influence(id);
    return {
      ...storeLimits(current, id),
      isOwnAddLimit: own?.addLimit !== undefined,
      isOwnRemoveLimit: own?.removeLimit !== undefined,
      addingCount,
      removingCount,
    };
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }
}
