import { join } from "node:path";
import { type Clock, type Logger, type Random, type RdbError } from "@flaredb/rdb-base";
import { type StoreIdent, readDiskSpace } from "@flaredb/rdb-storage";
import { formatAddress } from "@flaredb/rdb-wire";
import type { StoreConfig } from "./config.ts";
import { HealthServer } from "./health.ts";
import { diskUsageOf } from "./pd/disk-usage.ts";
import { holdReserve, openEngine } from "./open-engine.ts";
import { PdConnection } from "./pd/pd-connection.ts";
import { lookUpRegion } from "./pd/region-lookup.ts";
import { PdLink } from "./pd/pd-link.ts";
import { Registration } from "./pd/registration.ts";
import { randomId } from "./random-id.ts";
import { StoreServer } from "./rpc/store-server.ts";
import { SnapshotReceiver } from "./snapshot/receiver.ts";
import { SnapshotSender } from "./snapshot/sender.ts";
import { SnapshotFolder } from "./snapshot/snapshot-folder.ts";
import { snapshotsInUse } from "./store/region-opener.ts";
import { Store } from "./store/store.ts";
import { AddressBook } from "./transport/address-book.ts";
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
  const cleanup = new Cleanup();
  try {
    return await start(config, ports, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(config: StoreConfig, ports: StorePorts, cleanup: Cleanup): Promise<RunningStore> {
  const { clock, random, logger } = ports;
  const http = new HealthServer({ host: config.host, port: config.httpPort });
  await http.listen();
  cleanup.add(() => http.close());
  const { host, port } = config;
  const server = new StoreServer({ host, port, clock, random, logger, config });
  await server.listen();
  cleanup.add(() => server.close(CLOSE_GRACE_MS));
  const engineOptions = { config, clock, logger, onFatal: ports.onFatal };
  const engine = await openEngine(engineOptions);
  cleanup.add(() => engine.close());

  const self = {
    address: config.advertiseAddress ?? formatAddress(config.host, server.port),
    httpAddress: http.address,
    labels: config.labels,
    bootId: randomId(random),
  };
  const connection = new PdConnection({
    addresses: config.pdAddresses,
    localAddress: config.outgoingHost,
    callTimeoutMs: config.pd.callTimeoutMs,
  });
  cleanup.add(() => connection.close());
  const registration = new Registration({ engine, connection, self, clock, random, logger });
  const addressBook = new AddressBook(engine, logger);
  const stored = registration.storedIdent();
  const ident = stored ?? (await joinCluster(registration, addressBook, ports.signal));

  const isStalled = (): boolean => engine.oldestUnwrittenAgeMs() > STALLED_FACTOR * config.slowDiskMs;
  const pdLink = new PdLink({
    ...{ connection, registration, ident, addressBook, clock, random, logger, isStalled },
    isRegistered: stored === undefined,
    bootId: self.bootId,
    config: config.pd,
    diskUsage: diskUsageOf(config.dataDir, logger),
    residentMemoryBytes: () => process.memoryUsage.rss(),
    onRefused: ports.onFatal,
  });
  cleanup.add(() => pdLink.close());
  const sender = new SnapshotSender({
    ...{ ident, clock, logger },
    config: config.snapshot,
    localAddress: config.outgoingHost,
    addressOf: (storeId) => addressBook.addressOf(storeId),
  });
  cleanup.add(() => sender.close());
  const transport = new StoreTransport({
    ...{ ident, bootId: self.bootId, clock, random, logger, config, addressBook, isStalled },
    sendSnapshot: (outgoing) => sender.send(outgoing),
  });
  cleanup.add(() => transport.close());
  const folder = await SnapshotFolder.open(join(config.dataDir, "snapshots"), await snapshotsInUse(engine));
  const store = new Store({
    ...{ ident, config, engine, clock, random, logger, transport },
    snapshotFiles: folder,
    pdReporter: pdLink,
    diskFreeBytes: async () => (await readDiskSpace(config.dataDir)).freeBytes,
  });
  cleanup.add(() => store.close());

  await store.start();
  sender.start(store);
  transport.start(store);
  const receiver = new SnapshotReceiver({
    ...{ ident, folder, clock, logger },
    handle: store,
    config: config.snapshot,
  });
  server.serve({
    ...{ ident, handle: store, liveness: transport.liveness, receiver },
    addressOf: (storeId) => addressBook.addressOf(storeId),
    lookUp: (routeKey) => lookUpRegion(connection, routeKey),
  });
  http.show({ ident, address: self.address, handle: store, pdIsConnected: () => pdLink.isConnected });
  pdLink.start(store);
  const holding = holdReserve(engineOptions);
  cleanup.add(() => holding);

  const close = async (): Promise<void> => {
    http.show(undefined);
    // While leaderships go over, everything else has to work.
    await store.close();
    await server.close(CLOSE_GRACE_MS);
    await cleanup.run();
  };
  let closing: Promise<void> | undefined;
  return {
    ident,
    address: self.address,
    httpAddress: self.httpAddress,
    store,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function joinCluster(
  registration: Registration,
  addressBook: AddressBook,
  signal: AbortSignal | undefined,
): Promise<StoreIdent> {
  const { ident, stores } = await registration.register(signal ?? new AbortController().signal);
  addressBook.update(stores);
  return ident;
}

/** What was opened, closed in the opposite order. */
class Cleanup {
  readonly #steps: (() => unknown)[] = [];
  #running: Promise<void> | undefined;

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      await step();
    }
  }
}
