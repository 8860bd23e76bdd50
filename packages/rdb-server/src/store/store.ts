import {
  type Clock,
  type Logger,
  type PeerId,
  type Random,
  RdbError,
  type Region,
  type RegionEpoch,
  type RegionId,
  type StoreId,
  type Timer,
  assert,
  peerOnStore,
} from "@flaredb/rdb-base";
import type { KvRequest, KvResponse, RegionError, RegionHeader, StoreFlow } from "@flaredb/rdb-proto";
import { type Engine, EntryCache, type StoreIdent } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import type { Peer } from "../peer/peer.ts";
import type { PeerContext } from "../peer/peer-context.ts";
import { ProposalRounds } from "../peer/proposal-rounds.ts";
import { isUnreadable } from "../peer/unreadable.ts";
import { HashingSlots } from "../peer/replica-check/hashing-slots.ts";
import { diskFull, epochNotMatch, regionNotFound, serverIsBusy } from "../peer/responses.ts";
import { messageKind } from "../metrics/message-kind.ts";
import { RequestWatch } from "../metrics/request-watch.ts";
import { fillStoreGauges } from "../metrics/store-gauges.ts";
import { type StoreMetrics, makeStoreMetrics } from "../metrics/store-metrics.ts";
import { RequestTracing } from "../tracing/request-tracing.ts";
import { SteadyWallClock } from "../steady-wall-clock.ts";
import type { TraceSink } from "../tracing/trace-sink.ts";
import type { AdminOutcome, AdminTarget, ChangePeers, MergeRegion, SplitRegion } from "./admin-command.ts";
import type { ClusterVersionView } from "./cluster-version.ts";
import { adminRefusal } from "../peer/admin/admin-refusal.ts";
import { DiskHealth } from "./disk-health.ts";
import { DiskSpace } from "./disk-space.ts";
import { HandOver } from "./hand-over.ts";
import { MessageRouter } from "./message-router.ts";
import { PeerLifecycle } from "./peer-lifecycle.ts";
import type { PeerMessage, Refusal } from "./peer-message.ts";
import type { PdReporter, ReceivedSnapshot, SnapshotFiles, SnapshotStatus, Transport } from "./ports.ts";
import { RegionMap } from "./region-map.ts";
import { RegionMerger } from "./region-merger.ts";
import { type CreateOutcome, RegionOpener } from "./region-opener.ts";
import type { RecoverRegion, SurveyedPeer } from "./recover-region.ts";
import { RegionRecoverer } from "./region-recoverer.ts";
import { RegionSplitter } from "./region-splitter.ts";
import { ReplicaChecker } from "./replica-checker.ts";
import { RequestIntake, safeRegionId } from "./request-intake.ts";
import { ServedFlow } from "./served-flow.ts";
import { SizeCounter } from "./size-counter.ts";
import { type SplitTriggerLimits, SplitTriggers } from "./split-triggers.ts";
import { SnapshotGate } from "./snapshot-gate.ts";
import type { RegionStatus, StoreHandle, StoreHealth } from "./store-handle.ts";
import { sweepOrphans } from "./sweep-orphans.ts";

/** What a Store is made of. The real ports come from main.ts, others from the simulator. */
export interface StoreOptions {
  readonly ident: StoreIdent;
  readonly config: StoreConfig;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly transport: Transport;
  readonly snapshotFiles: SnapshotFiles;
  readonly pdReporter: PdReporter;
  /** So many new ids of PD, one after the other. @returns the first; rejects while PD does not answer */
  readonly allocateIds: (count: number) => Promise<number>;
  readonly clusterVersion: ClusterVersionView;
  /** Bytes that the data folder's file system has left. */
  readonly diskFreeBytes: () => Promise<number>;
  /** What is counted with. Default: nobody looks. */
  readonly metrics?: StoreMetrics | undefined;
  /** Where spans go. Default: none are made. */
  readonly traces?: TraceSink | undefined;
}

/** Limits that can change while a Store runs. */
type OnlineLimits = SplitTriggerLimits &
  Pick<StoreConfig, "slowDiskMs" | "disk" | "slowRequestMs" | "tracing">;

/** Regions that are woken in one tick when a Store fell silent, at most: their elections are work. */
const WAKE_MAX_COUNT_PER_TICK = 256;
/** Suggested pause for a client of a Store whose writer is behind. */
const BUSY_BACKOFF_MS = 100;

/**
 * A Store: one loop that drives all its peers (DESIGN §4). Inputs only mark peers; a turn then lets each marked peer
 * propose, send, persist, apply and answer. Nothing in a turn waits for a disk or another Store.
 */
export class Store implements StoreHandle {
  readonly #options: StoreOptions;
  readonly #metrics: StoreMetrics;
  readonly #watch: RequestWatch;
  readonly #tracing: RequestTracing;
  readonly #intake: RequestIntake;
  readonly #context: PeerContext;
  readonly #logger: Logger;
  readonly #peers = new RegionMap();
  readonly #opener: RegionOpener;
  readonly #lifecycle: PeerLifecycle;
  readonly #merger: RegionMerger;
  readonly #recoverer: RegionRecoverer;
  readonly #router: MessageRouter;
  readonly #snapshots: SnapshotGate;
  readonly #handOver: HandOver;
  readonly #splitter: RegionSplitter;
  readonly #checker: ReplicaChecker;
  readonly #splitTriggers: SplitTriggers;
  readonly #dirty = new Set<RegionId>();
  readonly #diskHealth: DiskHealth;
  readonly #diskSpace: DiskSpace;
  /** What PD was told of the disk at once, without waiting for the next heartbeat. */
  #toldPd = { isSlow: false, isFull: false };
  readonly #served: ServedFlow;
  /** Those that tick; some of them may have fallen asleep since their last one. */
  readonly #awake = new Set<RegionId>();
  readonly #sizes: SizeCounter;
  /** Sleepers to wake, a few each tick. */
  readonly #wakeQueue = new Set<RegionId>();
  #isOpen = false;
  #turnScheduled = false;
  #tickTimer: Timer | undefined;
  #stopping = false;
  #closing: Promise<void> | undefined;
  #stopped = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#served = new ServedFlow(() => options.clock.monotonicMs());
    this.#sizes = new SizeCounter(options.clock);
    this.#diskHealth = new DiskHealth(options.config.slowDiskMs);
    this.#diskSpace = new DiskSpace(options.diskFreeBytes, options.config.disk.fullDiskBytes, options.logger);
    this.#metrics = options.metrics ?? makeStoreMetrics();
    const { slowRequestMs } = options.config;
    this.#watch = new RequestWatch({ ...options, metrics: this.#metrics, slowRequestMs });
    this.#tracing = new RequestTracing({
      ...options,
      sink: options.traces,
      sampleRatio: options.config.tracing.sampleRatio,
    });
    this.#context = this.#makeContext();
    this.#opener = new RegionOpener(this.#context, this.#peers);
    this.#lifecycle = new PeerLifecycle(this.#context, this.#peers);
    this.#recoverer = new RegionRecoverer(this.#context, this.#peers);
    this.#merger = new RegionMerger({ ...this.#context, peers: this.#peers });
    const wantsTurn = (peer: Peer): void => this.#wantsTurn(peer.regionId);
    const parts = { peers: this.#peers, merger: this.#merger, lifecycle: this.#lifecycle };
    const shared = { ...this.#context, ...parts, wantsTurn };
    const isFlooded = (): boolean => this.#context.applyIsPaused();
    this.#router = new MessageRouter({ ...shared, isFlooded });
    this.#snapshots = new SnapshotGate({ ...shared, isDiskFull: () => this.#diskSpace.isFull });
    this.#handOver = new HandOver({ ...shared, tickMs: options.config.tickMs });
    this.#peers.onAdded = (peer) => {
      this.#awake.add(peer.regionId);
      this.#router.added(peer);
    };
    this.#checker = new ReplicaChecker({ ...options, peer: (id) => this.#peers.initialised(id) });
    this.#splitter = new RegionSplitter({ ...options, peer: (id) => this.#peers.get(id) });
    this.#splitTriggers = new SplitTriggers(this.#splitter, { ...options, limits: options.config });
    this.#intake = new RequestIntake({
      ...{ storeId: this.storeId, clock: options.clock, peers: this.#peers },
      ...{ watch: this.#watch, served: this.#served, tracing: this.#tracing },
      isStopped: () => this.#stopped,
      notHereError: (regionId) => this.#notHereError(regionId),
      writeRefusal: () => this.#writeRefusal(),
      wantsTurn: (regionId) => this.#wantsTurn(regionId),
    });
  }

  get storeId(): StoreId {
    return this.#options.ident.storeId;
  }

  /**
   * Opens every Region that is here, finishing what a crash interrupted, and starts the loop.
   *
   * @throws RdbError RDB_DATA_CORRUPT
   */
  async start(): Promise<void> {
    await this.#opener.openAll();
    await sweepOrphans(this.#options);
    await this.#diskSpace.refresh(this.#options.clock.monotonicMs());
    this.#isOpen = true;
    this.#scheduleTurn();
    this.#scheduleTick();
    this.#logger.info({ regions: this.#peers.size }, "the Store runs");
  }

  /** Hands leaderships over, answers everybody, and makes everything durable. The engine stays open. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#stopping = true;
    await this.#handOver.all();
    this.#logger.info({ leaders: this.health().leaderCount }, "leaderships are handed over");
    this.#stopped = true;
    this.#lifecycle.stop();
    this.#tickTimer?.cancel();
    this.#context.rounds.stop();
    for (const peer of this.#peers.values()) {
      peer.stop();
    }
    await this.#options.engine.flush();
  }

  /** Puts other limits in force: those that can change while the Store runs. */
  reconfigure({ slowDiskMs, disk, regionSplitSizeBytes, splitQps, ...watched }: OnlineLimits): void {
    this.#watch.slowRequestMs = watched.slowRequestMs;
    this.#tracing.sampleRatio = watched.tracing.sampleRatio;
    this.#diskHealth.slowDiskMs = slowDiskMs;
    this.#diskSpace.fullDiskBytes = disk.fullDiskBytes;
    this.#splitTriggers.limits = { regionSplitSizeBytes, splitQps };
  }

  // StoreHandle: messages of other Stores.

  receive(messages: readonly PeerMessage[], refuse: (refusals: readonly Refusal[]) => void): void {
    const refusals: Refusal[] = [];
    for (const message of messages) {
      this.#metrics.messagesReceived[messageKind(message)].value++;
      const reason = this.#stopped ? "RegionNotFound" : this.#router.receive(message);
      if (reason !== undefined) {
        refusals.push({ regionId: message.regionId, toPeerId: message.toPeer.id, reason });
      }
    }
    if (refusals.length > 0) {
      refuse(refusals);
    }
  }

  acceptsSnapshot(message: PeerMessage, region: Region): true | string {
    return this.#snapshots.accepts(message, region);
  }

  reserveSnapshot(message: PeerMessage, region: Region): (() => void) | string {
    return this.#snapshots.reserve(message, region);
  }

  snapshotReceived(snapshot: ReceivedSnapshot): void {
    if (this.#stopped) {
      void this.#options.snapshotFiles.remove(snapshot.snapshotId);
    } else {
      this.#snapshots.received(snapshot);
    }
  }

  snapshotStatus({ regionId, toPeerId, ok }: SnapshotStatus): void {
    const peer = this.#peers.get(regionId);
    if (peer !== undefined) {
      peer.snapshotStatus(toPeerId, ok);
      this.#wantsTurn(regionId);
    }
  }

  unreachable(storeId: StoreId, regionId: RegionId | undefined): void {
    const named = regionId === undefined ? undefined : this.#peers.get(regionId);
    // A Region that is not here any more was named: nothing is said of the others.
    const concerned = regionId === undefined ? this.#peers.values() : named === undefined ? [] : [named];
    for (const one of concerned) {
      const there = peerOnStore(one.region, storeId);
      if (one.isLeader && there !== undefined) {
        one.unreachable(there.id);
        this.#wantsTurn(one.regionId);
      }
    }
  }

  /**
   * The Regions that the Store led wake, a few each tick: asleep they would not notice. Those with another leader sleep
   * on: their peer there is not needed until it is back.
   */
  storeSilent(storeId: StoreId): void {
    this.#metrics.silentStores.value++;
    this.#logger.warn({ silentStore: storeId }, "a Store fell silent");
    this.#wakeSleepers(({ leaderStoreId }) => leaderStoreId === undefined || leaderStoreId === storeId);
  }

  /** The Regions that have a peer there wake: it may have been left out while it was away. */
  storeReturned(storeId: StoreId): void {
    this.#logger.info({ returnedStore: storeId }, "a Store is heard of again");
    this.#wakeSleepers(({ region }) => peerOnStore(region, storeId) !== undefined);
  }

  // StoreHandle: clients.

  handle(
    header: RegionHeader | undefined,
    requests: readonly KvRequest[],
    respond: (response: KvResponse) => void,
  ): void {
    this.#intake.handle(header, requests, respond);
  }

  regionOfKey(key: Uint8Array): Region | undefined {
    return this.#peers.ofKey(key)?.region;
  }

  // StoreHandle: the placement driver and health.

  createPeer(region: Region): Promise<CreateOutcome> {
    return this.#stopped ? Promise.resolve("the Store is stopping") : this.#opener.create(region);
  }

  transferLeader(regionId: RegionId, epoch: RegionEpoch, toPeerId: PeerId): AdminOutcome {
    const peer = this.#peers.initialised(regionId);
    const refusal = peer === undefined ? notHere(regionId) : peer.changes.transferRefusal(epoch, toPeerId);
    if (peer === undefined || refusal !== undefined) {
      return refusal ?? notHere(regionId);
    }
    peer.changes.transferLeader(toPeerId);
    return { ok: true };
  }

  changePeers(command: ChangePeers): Promise<AdminOutcome> {
    const peer = this.#peers.initialised(command.regionId);
    return Promise.resolve(peer?.changes.changePeers(command) ?? notHere(command.regionId));
  }

  splitRegion(command: SplitRegion): Promise<AdminOutcome> {
    return this.#splitter.split(command);
  }

  checkRegion(target: AdminTarget): Promise<AdminOutcome> {
    return this.#checker.check(target);
  }

  mergeRegion(command: MergeRegion): Promise<AdminOutcome> {
    return Promise.resolve(this.#merger.merge(command));
  }

  surveyPeers(): SurveyedPeer[] {
    return this.#recoverer.survey();
  }

  recoverRegion(order: RecoverRegion): Promise<AdminOutcome> {
    return this.#stopped
      ? Promise.resolve(adminRefusal("Busy", "the Store is stopping"))
      : this.#recoverer.recover(order);
  }

  regionStatuses(): RegionStatus[] {
    return this.#peers.allInitialised().map((peer) => peer.status());
  }

  regionStatus(regionId: RegionId): RegionStatus | undefined {
    return this.#peers.initialised(regionId)?.status(true);
  }

  flow(): Omit<StoreFlow, "bootId"> {
    return this.#served.flow(this.regionStatuses());
  }

  health(): StoreHealth {
    const peers = this.#peers.allInitialised();
    return {
      isSlow: this.#diskHealth.level !== "Ok",
      isFull: this.#diskSpace.isFull,
      pendingRequestCount: peers.reduce((sum, peer) => sum + peer.waitingCount, 0),
      unwrittenBytes: this.#options.engine.unwrittenBytes,
      ...this.#served.counts,
      regionCount: peers.length,
      leaderCount: peers.filter((peer) => peer.isLeader).length,
      asleepCount: peers.filter((peer) => peer.isAsleep).length,
    };
  }

  /** Hears why a request was refused before it came here. */
  refused(error: RegionError): void {
    this.#watch.refused(error.reason.case);
  }

  /** Sets the gauges of the loop and its peers, as they are now. */
  fillGauges(): void {
    fillStoreGauges(this.#metrics, {
      peers: this.#peers.values(),
      haltedCount: this.#peers.allHalted().length,
      unwrittenBytes: this.#options.engine.unwrittenBytes,
      isSlow: this.#diskHealth.level !== "Ok",
      isFull: this.#diskSpace.isFull,
    });
  }

  // The loop.

  #wantsTurn(regionId: RegionId): void {
    this.#dirty.add(regionId);
    this.#scheduleTurn();
  }

  /** None before every peer is open: what one applies may need another. */
  #scheduleTurn(): void {
    if (this.#isOpen && this.#dirty.size > 0 && !this.#turnScheduled && !this.#stopped) {
      this.#turnScheduled = true;
      // After what this round of IO brings: all of it shares the turn.
      this.#options.clock.setImmediate(() => this.#turn());
    }
  }

  #turn(): void {
    this.#turnScheduled = false;
    if (this.#stopped) {
      return;
    }
    this.#context.rounds.beginTurn(this.#dirty);
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const regionId of dirty) {
      const peer = this.#peers.get(regionId);
      if (peer !== undefined) {
        this.#lifecycle.attempt(peer, () => peer.advance());
        this.#noteState(peer);
      }
    }
    this.#context.rounds.endTurn();
    this.#lifecycle.destroyRemoved();
    this.#options.engine.beginPass();
  }

  /** Nothing wakes a peer, and nothing makes it lead or grow, without a turn of it. */
  #noteState(peer: Peer): void {
    if (!peer.isAsleep) {
      this.#awake.add(peer.regionId);
    }
    this.#sizes.note(peer);
  }

  /** Ticks that were missed are not made up for: a late tick is one tick. */
  #scheduleTick(): void {
    this.#tickTimer = this.#options.clock.setTimer(this.#options.config.tickMs, () => {
      if (!this.#stopped) {
        this.#tick();
        this.#scheduleTick();
      }
    });
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#watchDisk(nowMs);
    this.#context.rounds.tick();
    this.#lifecycle.tick(nowMs);
    for (const regionId of [...this.#wakeQueue].slice(0, WAKE_MAX_COUNT_PER_TICK)) {
      this.#wakeQueue.delete(regionId);
      const peer = this.#peers.get(regionId);
      if (peer?.isAsleep === true) {
        peer.wake();
        this.#lifecycle.attempt(peer, () => peer.takeOver());
      }
    }
    for (const regionId of this.#awake) {
      const peer = this.#peers.get(regionId);
      if (peer === undefined || peer.isAsleep) {
        this.#awake.delete(regionId);
        continue;
      }
      this.#lifecycle.attempt(peer, () => peer.tick(nowMs));
      this.#splitTriggers.look(peer, nowMs);
      this.#wantsTurn(regionId);
    }
    if (!this.#stopping) {
      this.#sizes.tick((regionId) => this.#peers.get(regionId));
    }
    this.#checker.tick();
  }

  #watchDisk(nowMs: number): void {
    const becameSlow = this.#diskHealth.observe(this.#options.engine.passAgeMs(), nowMs);
    this.#diskSpace.tick(nowMs);
    if (becameSlow) {
      this.#logger.warn(
        { slowDiskMs: this.#diskHealth.slowDiskMs },
        "the disk is slow: leaderships are handed over",
      );
    }
    const isSlow = this.#diskHealth.level !== "Ok";
    if (isSlow || this.#diskSpace.hasJustFilled(nowMs)) {
      this.#handOver.now();
    }
    const { isFull } = this.#diskSpace;
    if (isSlow !== this.#toldPd.isSlow || isFull !== this.#toldPd.isFull) {
      this.#toldPd = { isSlow, isFull };
      this.#options.pdReporter.diskChanged();
    }
  }

  #wakeSleepers(isConcerned: (peer: Peer) => boolean): void {
    for (const peer of this.#peers.values()) {
      if (peer.isAsleep && isConcerned(peer)) {
        this.#wakeQueue.add(peer.regionId);
      }
    }
  }

  #writeRefusal(): RegionError | undefined {
    if (this.#diskSpace.isFull) {
      return diskFull();
    }
    const { engine, config } = this.#options;
    return engine.unwrittenBytes > config.unwrittenMaxBytes
      ? serverIsBusy("too many bytes wait to be written", BUSY_BACKOFF_MS)
      : undefined;
  }

  #notHereError(regionId: bigint): RegionError {
    const takenBy = this.#takenBy(safeRegionId(regionId));
    return takenBy === undefined ? regionNotFound(regionId, this.storeId) : epochNotMatch(takenBy, 0, []);
  }

  /** Undefined also where the disk does not tell. */
  #takenBy(regionId: RegionId): Region | undefined {
    try {
      return this.#merger.takenBy(regionId);
    } catch (error) {
      if (!isUnreadable(error)) {
        throw error;
      }
      return undefined;
    }
  }

  #askPd(regionId: RegionId): void {
    this.#options.pdReporter.findRegion(regionId).then(
      (region) => {
        if (region !== undefined && !this.#stopped) {
          this.#lifecycle.learn(region);
        }
      },
      (error: unknown) => {
        // The peer asks again after as long a time.
        this.#logger.info({ region: regionId, reason: RdbError.from(error).message }, "PD was asked in vain");
      },
    );
  }

  #findRegionOfKey(key: Uint8Array, found: (region: Region) => void): void {
    this.#options.pdReporter.regionOfKey(key).then(
      (region) => {
        if (!this.#stopped) {
          found(region);
        }
      },
      (error: unknown) => {
        // Whoever asks does so again.
        this.#logger.info({ reason: RdbError.from(error).message }, "PD was asked for a key in vain");
      },
    );
  }

  #makeContext(): PeerContext {
    const { config, engine, clock, random, logger, transport, snapshotFiles, pdReporter } = this.#options;
    const { clusterVersion } = this.#options;
    assert(config.tickMs > 0, "a tick takes time");
    return {
      storeId: this.#options.ident.storeId,
      ...{ config, engine, clock, random, logger, transport, snapshotFiles, clusterVersion },
      steadyWall: new SteadyWallClock(clock),
      metrics: this.#metrics,
      entryCache: new EntryCache(config.entryCacheBytes),
      clusterVersion,
      hashing: new HashingSlots(clock),
      rounds: new ProposalRounds(clock, config.raft.roundMinCount, (id) => this.#wantsTurn(id)),
      startedMs: clock.monotonicMs(),
      wantsTurn: (regionId) => this.#wantsTurn(regionId),
      siblings: (region, version) => this.#peers.siblings(region, version),
      beginPeer: (start) => {
        this.#metrics.splits.value++;
        this.#opener.begin(start);
      },
      regionChanged: (regionId) => pdReporter.regionChanged(regionId),
      applyIsPaused: () => engine.unwrittenBytes > config.unwrittenMaxBytes,
      heartbeatsAreHeld: () => this.#diskHealth.level === "Stalled",
      halt: (regionId, peerId, error) => this.#lifecycle.halt(regionId, peerId, error),
      rangesChanged: () => this.#peers.rangesChanged(),
      removed: (last, peer) => this.#lifecycle.removed(last, peer),
      askPd: (regionId) => this.#askPd(regionId),
      findRegionOfKey: (key, found) => this.#findRegionOfKey(key, found),
      neighbour: (regionId) => this.#peers.get(regionId),
      takeMergeSource: (command) => {
        const source = this.#merger.takeSource(command);
        this.#metrics.merges.value++;
        return source;
      },
      endMerged: (part, later, taken) => this.#merger.endMerged(part, later, taken),
    };
  }
}

function notHere(id: RegionId): AdminOutcome {
  return adminRefusal("NotLeader", `this Store has no peer of Region ${id}`);
}
