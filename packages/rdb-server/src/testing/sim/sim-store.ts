import {
  type Clock,
  type Logger,
  type Random,
  type RdbError,
  SeededRandom,
  type StoreId,
  assert,
  clusterVersions,
} from "@flaredb/rdb-base";
import { MemoryEngine, MemoryRawEngine, type StoreIdent } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../../config.ts";
import type { ClusterVersionView } from "../../store/cluster-version.ts";
import { snapshotsInUse } from "../../store/region-opener.ts";
import type { PdReporter } from "../../store/ports.ts";
import { Store } from "../../store/store.ts";
import { Liveness } from "../../transport/liveness.ts";
import { MemorySnapshotFiles } from "./memory-snapshot-files.ts";
import { ProcessClock, type ProcessClockOptions } from "./process-clock.ts";
import type { SimClock } from "./sim-clock.ts";
import type { NetworkProcess, SimNetwork } from "./sim-network.ts";

export interface SimStoreOptions {
  readonly ident: StoreIdent;
  readonly config: StoreConfig;
  readonly clock: SimClock;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly logger: Logger;
  /** As PD gives ids. */
  readonly allocateIds: (count: number) => Promise<number>;
  /** As PD knows Regions. */
  readonly findRegion: PdReporter["findRegion"];
  readonly regionOfKey: PdReporter["regionOfKey"];
  /** All Stores of the cluster: whom this one expects signs of life from. */
  readonly storeIds: readonly StoreId[];
}

/** A Store between its start and its end. */
interface Run extends NetworkProcess {
  readonly store: Store;
  readonly engine: MemoryEngine;
  readonly liveness: Liveness;
}

/** One Store's machine: the disk stays, the process comes and goes. */
export class SimStore {
  readonly storeId: StoreId;
  readonly #options: SimStoreOptions;
  #disk: MemoryRawEngine;
  #snapshotFiles: MemorySnapshotFiles;
  #run: Run | undefined;
  /** Its start is done. */
  #started: Run | undefined;
  #stopping: Run | undefined;
  #bootCount = 0;
  /** How the clock of the next start runs. */
  clockOptions: ProcessClockOptions = {};
  /** What the file system has left. */
  diskFreeBytes = Number.MAX_SAFE_INTEGER;
  /** What the cluster's Stores know, and what the program of the next start does. */
  clusterVersion: ClusterVersionView = { current: clusterVersions.newest, newest: clusterVersions.newest };
  /** Why writes failed, if they did: the process would have ended. */
  fatalError: RdbError | undefined;

  constructor(options: SimStoreOptions) {
    this.#options = options;
    this.storeId = options.ident.storeId;
    const clock = this.#diskClock();
    this.#disk = new MemoryRawEngine({ clock, random: forkRandom(options.random) });
    this.#snapshotFiles = new MemorySnapshotFiles({ clock, random: new SeededRandom(this.storeId) });
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** Whether clients are let in: not before every Region is open. */
  get isServing(): boolean {
    return this.#run !== undefined && this.#run === this.#started;
  }

  /** Whether a graceful stop is under way. */
  get isStopping(): boolean {
    return this.#run !== undefined && this.#run === this.#stopping;
  }

  /** The running Store. */
  get store(): Store {
    return this.#running.store;
  }

  get engine(): MemoryEngine {
    return this.#running.engine;
  }

  get disk(): MemoryRawEngine {
    return this.#disk;
  }

  get snapshotFiles(): MemorySnapshotFiles {
    return this.#snapshotFiles;
  }

  get clock(): ProcessClock {
    return this.#running.clock;
  }

  /** Resolves when the Store runs. */
  async start(): Promise<void> {
    assert(this.#run === undefined, "a Store runs once at a time");
    const run = this.#makeRun();
    this.#run = run;
    const inUse = await snapshotsInUse(run.engine);
    this.snapshotFiles.retain((id) => inUse.has(id));
    await run.store.start();
    if (this.#run === run) {
      this.#started = run;
      this.#options.network.attach(run);
      this.#pass(run);
    }
  }

  /** kill -9 and power off: what was not synced may be lost. */
  crash(): void {
    const run = this.#running;
    this.#end(run);
    this.#disk = this.#disk.crash();
    this.#snapshotFiles = this.#snapshotFiles.crash();
  }

  /** As crash, without a start being under way or done: nothing happens when it does not run. */
  crashIfRunning(): void {
    if (this.#run !== undefined) {
      this.crash();
    }
  }

  /**
   * A graceful stop. Resolves when the process has ended; never if it is killed meanwhile, as nobody is left to say so.
   */
  async stop(): Promise<void> {
    const run = this.#running;
    this.#stopping = run;
    await run.store.close();
    await run.engine.close();
    this.#end(run);
  }

  /** Writes take this long from now on, in ms. */
  slowDisk(writeDelayMs: number): void {
    this.#disk.setWriteDelayMs(() => writeDelayMs);
  }

  /** Runs a call into the Store from outside, such as a client's; never when it is dead. */
  call(action: (store: Store) => void): void {
    const run = this.#running;
    run.clock.run(() => action(run.store));
  }

  get #running(): Run {
    assert(this.#run !== undefined, `Store ${this.storeId} runs`);
    return this.#run;
  }

  #end(run: Run): void {
    this.#run = undefined;
    run.clock.kill();
    this.#options.network.detach(run);
  }

  #makeRun(): Run {
    const { ident, config, network, logger, allocateIds, findRegion, regionOfKey } = this.#options;
    const random = forkRandom(this.#options.random);
    const clock = new ProcessClock(this.#options.clock, this.clockOptions);
    const bootId = BigInt(++this.#bootCount);
    const engine = new MemoryEngine(
      {
        clock,
        random,
        onFatal: (error) => {
          this.fatalError = error;
          this.crashIfRunning();
        },
      },
      this.#disk,
    );
    const liveness = this.#makeLiveness(clock, () => store);
    const store: Store = new Store({
      ident,
      config,
      engine,
      clock,
      random,
      logger,
      transport: {
        send: (message) => network.send(run, message),
        sendSnapshot: (outgoing) => network.sendSnapshot(run, outgoing),
        isAlive: (storeId) => liveness.isAlive(storeId),
      },
      snapshotFiles: this.snapshotFiles,
      pdReporter: { regionChanged: () => {}, diskChanged: () => {}, findRegion, regionOfKey },
      allocateIds,
      diskFreeBytes: () => Promise.resolve(this.diskFreeBytes),
      clusterVersion: this.clusterVersion,
    });
    const run: Run = {
      storeId: this.storeId,
      bootId,
      clock,
      handle: store,
      store,
      engine,
      liveness,
      heard: (storeId, otherBootId) => liveness.heard(storeId, otherBootId),
      keepSnapshot: (snapshotId, region, chunks) => this.snapshotFiles.put(snapshotId, region, chunks),
    };
    return run;
  }

  #makeLiveness(clock: Clock, store: () => Store): Liveness {
    const { config, storeIds } = this.#options;
    const liveness = new Liveness({
      clock,
      storeSilentMs: config.storeSilentMs,
      checkIntervalMs: config.livenessIntervalMs / 2,
      events: {
        storeSilent: (storeId) => store().storeSilent(storeId),
        storeReturned: (storeId) => store().storeReturned(storeId),
      },
    });
    for (const storeId of storeIds.filter((id) => id !== this.storeId)) {
      liveness.expect(storeId);
    }
    return liveness;
  }

  /** What the transport does now and then: looks who fell silent, and shows life unless the disk stands still. */
  #pass(run: Run): void {
    const { config, network } = this.#options;
    run.liveness.check();
    if (run.engine.passAgeMs() <= 2 * config.slowDiskMs) {
      network.showLife(run);
    }
    run.clock.setTimer(config.livenessIntervalMs / 2, () => this.#pass(run));
  }

  /** What a disk has done reaches the process that runs then; a crashed disk says nothing more by itself. */
  #diskClock(): Clock {
    const { clock } = this.#options;
    const inProcess = (callback: () => void) => () => {
      this.#run?.clock.run(callback);
    };
    return {
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, inProcess(callback)),
      setImmediate: (callback) => clock.setImmediate(inProcess(callback)),
    };
  }
}

function forkRandom(random: Random): Random {
  return new SeededRandom(random.nextInt(2 ** 31));
}
