import type { Clock, Logger, Random, RdbError, StoreId } from "@flaredb/rdb-base";
import type { Engine, StoreIdent } from "@flaredb/rdb-storage";
import { type ListenCounts, type Wire, formatAddress } from "@flaredb/rdb-wire";
import { ClosingStack } from "./closing-stack.ts";
import type { StoreConfig } from "./config.ts";
import { allocateIds } from "./pd/allocate-ids.ts";
import type { StoreMetrics } from "./metrics/store-metrics.ts";
import { PdLink } from "./pd/pd-link.ts";
import { lookUpRegion } from "./pd/region-lookup.ts";
import type { DiskUsage } from "./pd/store-heartbeat.ts";
import { StoreServer } from "./rpc/store-server.ts";
import { SnapshotReceiver } from "./snapshot/receiver.ts";
import { SnapshotSender } from "./snapshot/sender.ts";
import { StoreIdentity } from "./store-identity.ts";
import { StoreRefusal, refuseLostStore } from "./store-refusal.ts";
import { ClusterVersion } from "./store/cluster-version.ts";
import type { SnapshotFiles } from "./store/ports.ts";
import { snapshotsInUse } from "./store/region-opener.ts";
import { Store } from "./store/store.ts";
import type { TraceSink } from "./tracing/trace-sink.ts";
import { StoreTransport } from "./transport/store-transport.ts";

/** A Store's data folder, or what the simulator has for one. */
export interface StoreDisk {
  /**
   * Opens the database, once for each run of the Store.
   *
   * @param onFatal a write or sync failed: nothing is acknowledged any more
   * @throws RdbError RDB_DATA_LOCKED, RDB_DATA_FORMAT, RDB_DATA_FOREIGN or RDB_DATA_CORRUPT; RDB_STORAGE_FAILED
   */
  openEngine(onFatal: (error: RdbError) => void): Promise<Engine>;
  /** Received snapshots. What a former run left behind is deleted, but for the ids that are in use. */
  openSnapshots(inUse: ReadonlySet<string>): Promise<SnapshotFiles>;
  /** What the file system has left for this Store. */
  freeBytes(): Promise<number>;
  /**
   * Says durably that the data may hold from now on what only programs that know the cluster version understand.
   *
   * @throws RdbError RDB_STORAGE_FAILED
   */
  noteClusterVersion(version: number): Promise<void>;
  /** For people and placement. Never rejects: without an answer it says 0. */
  usage(): Promise<DiskUsage>;
  /** Sets the gauges of the disk and its database, as they are now. Rejects when they cannot be read. */
  fillGauges?(): Promise<void>;
}

/** What a Store needs of the world, whether that is real or simulated. */
export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called when the Store cannot go on: its disk failed, or PD does not want it. The process has to end. */
  readonly onFatal: (error: RdbError) => void;
  /** Gives up a start that still waits for PD. */
  readonly signal?: AbortSignal;
  readonly wire: Wire;
  readonly disk: StoreDisk;
  /** host:port of the process's HTTP endpoint, which PD shows to people. */
  readonly httpAddress: string;
  /** Memory of the process, for people. */
  readonly residentMemoryBytes: () => number;
  /** The newest cluster version that the program knows; less than this one does where a run plays an older one. */
  readonly newestClusterVersion?: number | undefined;
  /** What is counted with. Default: nobody looks. */
  readonly metrics?: StoreMetrics | undefined;
  /** What the RPC port counts of its callers with. Default: nobody looks. */
  readonly listenCounts?: ListenCounts | undefined;
  /** Opens what takes the spans of requests, once for each run of the Store. Default: none are made. */
  readonly openTraces?: ((storeId: StoreId) => Promise<TraceSink>) | undefined;
}

/** A Store that serves. */
export interface RunningStore {
  readonly ident: StoreIdent;
  /** host:port of its RPC endpoint, as others reach it. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  readonly store: Store;
  readonly pdIsConnected: () => boolean;
  /** Sets the gauges of `StorePorts.metrics`, as they are now. */
  fillGauges(): Promise<void>;
  /** Puts in force what differs from the running configuration and can change online (docs/configuration.md). */
  reconfigure(config: StoreConfig): void;
  /** Hands leaderships over, ends everything in good order, frees the disk. Idempotent. */
  close(): Promise<void>;
}

/** How long open calls may go on once the Store stops. */
const CLOSE_GRACE_MS = 500;
/** At this many times `slowDiskMs` a Store stops to show life (DESIGN §4). */
const STALLED_FACTOR = 2;

/**
 * The Store, without what only a real process has (see `startStore`): listens, opens its disk, learns who it is, and
 * serves. One that knows its identity does not wait for PD. A refused start leaves nothing open, and the data as it
 * was.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE; what `disk.openEngine` throws; RDB_STORE_LOST when a former run was given up; RDB_VERSION_TOO_OLD; what PD refuses of a new Store;
 * RDB_CLOSED when `signal` fires
 */
export async function runStore(config: StoreConfig, ports: StorePorts): Promise<RunningStore> {
  const opened = new ClosingStack();
  try {
    // The port first: one that is taken ends the start before anything on disk is touched.
    const { host, port } = config;
    const server = new StoreServer({ ...ports, host, port, config });
    await server.listen();
    opened.add(() => server.close(CLOSE_GRACE_MS));
    const engine = await ports.disk.openEngine(ports.onFatal);
    opened.add(() => engine.close());
    refuseLostStore(engine);
    const address = config.advertiseAddress ?? formatAddress(host, server.port);
    const clusterVersion = openClusterVersion(ports, engine);
    opened.add(() => clusterVersion.settled());
    const identity = new StoreIdentity({ ...ports, config, engine, address, clusterVersion });
    opened.add(() => identity.connection.close());
    const known = await identity.establish(ports.signal ?? new AbortController().signal);
    const refusal = new StoreRefusal({ ...ports, engine });
    refusal.cutsOff(() => server.cut());
    const base = { config, ports, engine, identity, clusterVersion, refusal, ...known };
    const parts = await assemble(base, opened);
    serve({ server, identity, ...parts });
    const { ident, store, pdLink, fillGauges } = parts;
    return {
      ...{ ident, address, store },
      httpAddress: ports.httpAddress,
      pdIsConnected: () => pdLink.isConnected,
      fillGauges,
      reconfigure: parts.reconfigure,
      close: closer(opened, server, store),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function openClusterVersion(ports: StorePorts, engine: Engine): ClusterVersion {
  return new ClusterVersion({
    engine,
    logger: ports.logger,
    newest: ports.newestClusterVersion,
    noteVersion: (version) => ports.disk.noteClusterVersion(version),
    onTooOld: ports.onFatal,
  });
}

interface Base {
  readonly config: StoreConfig;
  readonly ports: StorePorts;
  readonly engine: Engine;
  readonly identity: StoreIdentity;
  readonly clusterVersion: ClusterVersion;
  readonly refusal: StoreRefusal;
  readonly ident: StoreIdent;
  readonly isNew: boolean;
}

/** The Store and what connects it, not started but for the Store itself. */
interface Parts {
  readonly ident: StoreIdent;
  readonly store: Store;
  readonly transport: StoreTransport;
  readonly sender: SnapshotSender;
  readonly receiver: SnapshotReceiver;
  readonly pdLink: PdLink;
  readonly reconfigure: (config: StoreConfig) => void;
  readonly fillGauges: () => Promise<void>;
}

async function assemble(base: Base, opened: ClosingStack): Promise<Parts> {
  const { config, ports, engine, identity, clusterVersion, refusal, ident } = base;
  const { addressBook, bootId } = identity;
  let { slowDiskMs } = config;
  const isStalled = (): boolean => engine.passAgeMs() > STALLED_FACTOR * slowDiskMs;
  const pdLink = makePdLink(base, isStalled);
  opened.add(() => pdLink.close());
  const sender = new SnapshotSender({
    ...ports,
    ...{ ident, bootId },
    config: config.snapshot,
    localAddress: config.outgoingHost,
    addressOf: (storeId) => addressBook.addressOf(storeId),
  });
  opened.add(() => sender.close());
  refusal.cutsOff(() => sender.close());
  const sendSnapshot = sender.send.bind(sender);
  const transport = new StoreTransport({
    ...ports,
    ...{ ident, bootId, config, addressBook, sendSnapshot, isStalled },
  });
  opened.add(() => transport.close());
  refusal.cutsOff(() => transport.close());
  const traces = await ports.openTraces?.(ident.storeId);
  opened.add(async () => traces?.close());
  const snapshotFiles = await ports.disk.openSnapshots(await snapshotsInUse(engine));
  const store = new Store({
    ...ports,
    ...{ ident, config, engine, transport, snapshotFiles, clusterVersion },
    ...{ pdReporter: pdLink, traces },
    allocateIds: (count) => allocateIds(identity.connection, count),
    diskFreeBytes: () => ports.disk.freeBytes(),
  });
  opened.add(() => store.close());
  await store.start();
  const receiver = new SnapshotReceiver({
    ...ports,
    ...{ ident, handle: store, files: snapshotFiles, config: config.snapshot },
  });
  opened.add(() => receiver.close());
  const reconfigure = (changed: StoreConfig): void => {
    slowDiskMs = changed.slowDiskMs;
    store.reconfigure(changed);
    sender.maxBytesPerSecond = changed.snapshot.maxBytesPerSecond;
    receiver.maxBytesPerSecond = changed.snapshot.maxBytesPerSecond;
  };
  const fillGauges = async (): Promise<void> => {
    store.fillGauges();
    sender.fillGauges();
    receiver.fillGauges();
    if (ports.metrics !== undefined) {
      ports.metrics.pdConnected.value = pdLink.isConnected ? 1 : 0;
    }
    await ports.disk.fillGauges?.();
  };
  return { ident, store, transport, sender, receiver, pdLink, reconfigure, fillGauges };
}

function makePdLink(base: Base, isStalled: () => boolean): PdLink {
  const { config, ports, identity, clusterVersion, refusal, ident, isNew } = base;
  const { connection, registration, addressBook, bootId } = identity;
  return new PdLink({
    ...ports,
    ...{ connection, registration, addressBook, bootId, clusterVersion, ident, isStalled },
    // A new Store registered just now; another one does it once PD answers.
    isRegistered: isNew,
    config: config.pd,
    diskUsage: () => ports.disk.usage(),
    onRefused: (error) => refusal.refused(error),
  });
}

/** From here on the Store is reached, and reaches others. */
function serve(options: Parts & { readonly server: StoreServer; readonly identity: StoreIdentity }): void {
  const { server, identity, ident, store, transport, sender, receiver, pdLink } = options;
  sender.start(store);
  transport.start(store);
  server.serve({
    ...{ ident, handle: store, liveness: transport.liveness, receiver },
    addressOf: (storeId) => identity.addressBook.addressOf(storeId),
    refused: (error) => store.refused(error),
    lookUp: (routeKey) => lookUpRegion(identity.connection, routeKey),
  });
  pdLink.start(store);
}

function closer(opened: ClosingStack, server: StoreServer, store: Store): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    // While leaderships go over, everything else has to work.
    await store.close();
    await server.close(CLOSE_GRACE_MS);
    await opened.close();
  };
  return () => (closing ??= close());
}
