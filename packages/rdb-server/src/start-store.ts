import { join } from "node:path";
import type { Clock, Logger, Random, RdbError } from "@flaredb/rdb-base";
import { type Engine, type StoreIdent, readDiskSpace } from "@flaredb/rdb-storage";
import { formatAddress } from "@flaredb/rdb-wire";
import { ClosingStack } from "./closing-stack.ts";
import type { StoreConfig } from "./config.ts";
import { HealthServer } from "./health.ts";
import { holdReserve, openEngine } from "./open-engine.ts";
import { diskUsageOf } from "./pd/disk-usage.ts";
import { PdLink } from "./pd/pd-link.ts";
import { lookUpRegion } from "./pd/region-lookup.ts";
import { StoreServer } from "./rpc/store-server.ts";
import { SnapshotReceiver } from "./snapshot/receiver.ts";
import { SnapshotSender } from "./snapshot/sender.ts";
import { SnapshotFolder } from "./snapshot/snapshot-folder.ts";
import { StoreIdentity } from "./store-identity.ts";
import { snapshotsInUse } from "./store/region-opener.ts";
import { Store } from "./store/store.ts";
import { StoreTransport } from "./transport/store-transport.ts";

/** What a Store process needs of the world. */
export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Called when the Store cannot go on: its disk failed, or PD does not want it. The process has to end. */
  readonly onFatal: (error: RdbError) => void;
  /** Gives up a start that still waits for PD. */
  readonly signal?: AbortSignal;
}

/** A Store that serves. */
export interface RunningStore {
  readonly ident: StoreIdent;
  /** host:port of its RPC endpoint, as others reach it. */
  readonly address: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  readonly store: Store;
  /** Hands leaderships over, ends everything in good order, frees the folder. Idempotent. */
  close(): Promise<void>;
}

/** How long open calls may go on once the Store stops. */
const CLOSE_GRACE_MS = 500;
/** At this many times `slowDiskMs` a Store stops to show life (DESIGN §4). */
const STALLED_FACTOR = 2;

/**
 * Listens, opens the data folder, learns who it is, and serves. A Store that knows its identity does not wait for PD.
 * A refused start leaves nothing open, and the data as it was.
 *
 * @throws RdbError RDB_ADDRESS_IN_USE; RDB_DATA_LOCKED, RDB_DATA_FORMAT, RDB_DATA_FOREIGN or RDB_DATA_CORRUPT by the
 * data folder; RDB_STORAGE_FAILED; what PD refuses of a new Store; RDB_CLOSED when `signal` fires
 */
export async function startStore(config: StoreConfig, ports: StorePorts): Promise<RunningStore> {
  const opened = new ClosingStack();
  try {
    // Ports first: one that is taken ends the start before anything on disk is touched.
    const { http, server } = await listen(config, ports, opened);
    const engine = await openEngine({ ...ports, config });
    opened.add(() => engine.close());
    const address = config.advertiseAddress ?? formatAddress(config.host, server.port);
    const identity = new StoreIdentity({ ...ports, config, engine, address, httpAddress: http.address });
    opened.add(() => identity.connection.close());
    const known = await identity.establish(ports.signal ?? new AbortController().signal);
    const parts = await assemble({ config, ports, engine, identity, ...known }, opened);
    serve({ http, server, identity, address, ...parts });
    const holding = holdReserve({ ...ports, config });
    opened.add(() => holding);
    const { ident, store } = parts;
    const close = closer(opened, { http, server, store });
    return { ident, address, httpAddress: http.address, store, close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function listen(
  config: StoreConfig,
  ports: StorePorts,
  opened: ClosingStack,
): Promise<{ readonly http: HealthServer; readonly server: StoreServer }> {
  const { host, port, httpPort } = config;
  const http = new HealthServer({ host, port: httpPort });
  await http.listen();
  opened.add(() => http.close());
  const server = new StoreServer({ ...ports, host, port, config });
  await server.listen();
  opened.add(() => server.close(CLOSE_GRACE_MS));
  return { http, server };
}

interface Base {
  readonly config: StoreConfig;
  readonly ports: StorePorts;
  readonly engine: Engine;
  readonly identity: StoreIdentity;
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
}

async function assemble(base: Base, opened: ClosingStack): Promise<Parts> {
  const { config, ports, engine, identity, ident } = base;
  const { addressBook, bootId } = identity;
  const isStalled = (): boolean => engine.passAgeMs() > STALLED_FACTOR * config.slowDiskMs;
  const pdLink = makePdLink(base, isStalled);
  opened.add(() => pdLink.close());
  const sender = new SnapshotSender({
    ...ports,
    ident,
    config: config.snapshot,
    localAddress: config.outgoingHost,
    addressOf: (storeId) => addressBook.addressOf(storeId),
  });
  opened.add(() => sender.close());
  const sendSnapshot = sender.send.bind(sender);
  const transport = new StoreTransport({
    ...ports,
    ...{ ident, bootId, config, addressBook, sendSnapshot, isStalled },
  });
  opened.add(() => transport.close());
  const folder = await SnapshotFolder.open(join(config.dataDir, "snapshots"), await snapshotsInUse(engine));
  const store = new Store({
    ...ports,
    ...{ ident, config, engine, transport },
    snapshotFiles: folder,
    pdReporter: pdLink,
    diskFreeBytes: async () => (await readDiskSpace(config.dataDir)).freeBytes,
  });
  opened.add(() => store.close());
  await store.start();
  const receiver = new SnapshotReceiver({ ...ports, ident, folder, handle: store, config: config.snapshot });
  return { ident, store, transport, sender, receiver, pdLink };
}

function makePdLink({ config, ports, identity, ident, isNew }: Base, isStalled: () => boolean): PdLink {
  const { connection, registration, addressBook, bootId } = identity;
  return new PdLink({
    ...ports,
    ...{ connection, registration, addressBook, bootId, ident, isStalled },
    // A new Store registered just now; another one does it once PD answers.
    isRegistered: isNew,
    config: config.pd,
    diskUsage: diskUsageOf(config.dataDir, ports.logger),
    residentMemoryBytes: () => process.memoryUsage.rss(),
    onRefused: ports.onFatal,
  });
}

/** From here on the Store is reached, and reaches others. */
function serve(
  options: Parts & {
    readonly http: HealthServer;
    readonly server: StoreServer;
    readonly identity: StoreIdentity;
    readonly address: string;
  },
): void {
  const { http, server, identity, address, ident, store, transport, sender, receiver, pdLink } = options;
  sender.start(store);
  transport.start(store);
  server.serve({
    ...{ ident, handle: store, liveness: transport.liveness, receiver },
    addressOf: (storeId) => identity.addressBook.addressOf(storeId),
    lookUp: (routeKey) => lookUpRegion(identity.connection, routeKey),
  });
  http.show({ ident, address, handle: store, pdIsConnected: () => pdLink.isConnected });
  pdLink.start(store);
}

function closer(
  opened: ClosingStack,
  { http, server, store }: { http: HealthServer; server: StoreServer; store: Store },
): () => Promise<void> {
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    http.show(undefined);
    // While leaderships go over, everything else has to work.
    await store.close();
    await server.close(CLOSE_GRACE_MS);
    await opened.close();
  };
  return () => (closing ??= close());
}
