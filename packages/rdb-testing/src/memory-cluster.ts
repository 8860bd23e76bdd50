import { RdbError, SECOND_MS } from "@flaredb/rdb-base";
import type { RunningPd } from "@flaredb/rdb-pd";
import type { RunningStore } from "@flaredb/rdb-server";
import { type MemoryProcess, memoryPd, memoryStore } from "./memory-process.ts";
import { TcpGate } from "./tcp-gate.ts";

/** What a cluster for tests is to be like. */
export interface MemoryClusterOptions {
  /** How many Stores, 1 to 5. Each Region has a peer on all of them, three at most. Default 1. */
  readonly stores?: number;
  /** The keys at which the key space is cut into Regions. Default: none, one Region holds every key. */
  readonly splitKeys?: readonly string[];
  /** What is random follows from it: crashes, elections. Default 1. */
  readonly seed?: number;
}

const STORES_MAX_COUNT = 5;
/** A cluster that has no leaders by then never will. */
const READY_TIMEOUT_MS = 20 * SECOND_MS;

/**
 * A whole cluster inside this process: the Stores and the placement driver of production, on disks in memory and ports
 * of loopback. It is as linearizable and as exact as a real one, it can lose a Store or its placement driver, and
 * nothing of it is left when it is stopped.
 */
export class MemoryCluster {
  readonly #gate: TcpGate;
  readonly #pd: MemoryProcess<RunningPd>;
  readonly #stores: readonly MemoryProcess<RunningStore>[];
  #failure: RdbError | undefined;

  private constructor(gate: TcpGate, { stores = 1, splitKeys = [], seed = 1 }: MemoryClusterOptions) {
    const onFatal = (error: RdbError): void => {
      this.#failure ??= error;
    };
    const pdConfig = { bootstrapStores: stores, initialSplitKeys: splitKeys };
    this.#gate = gate;
    this.#pd = memoryPd(pdConfig, gate.address, { seed, onFatal });
    this.#stores = Array.from({ length: stores }, (_, at) =>
      memoryStore(`Store ${at + 1}`, gate.address, {
        seed: seed + at + 1,
        // It was emptied on request: its process ends in peace.
        onFatal: (error) =>
          error.code === "RDB_STORE_DECOMMISSIONED" ? void this.#stores[at]?.kill() : onFatal(error),
      }),
    );
  }

  /**
   * Starts one; resolves when every Region has a leader, in a fraction of a second.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT for options that make no cluster; RDB_CONFIG_INVALID for keys that do not
   */
  static async start(options: MemoryClusterOptions = {}): Promise<MemoryCluster> {
    const { stores = 1 } = options;
    if (!Number.isInteger(stores) || stores < 1 || stores > STORES_MAX_COUNT) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `stores ${stores} must be from 1 to ${STORES_MAX_COUNT}`);
    }
    const gate = new TcpGate();
    await gate.listen();
    const cluster = new MemoryCluster(gate, options);
    try {
      await cluster.startPd();
      // One after the other: the first gets id 1.
      for (const store of cluster.#stores) {
        await store.start();
      }
      await cluster.#allLed();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** host:port of the placement driver: what a client connects to. Stays the same for as long as the cluster lives. */
  get pdAddress(): string {
    return this.#gate.address;
  }

  /** The ids of the Stores, 1 first. */
  get storeIds(): readonly number[] {
    return this.#stores.map((_, at) => at + 1);
  }

  /**
   * Which Store leads the Region of a key, as the placement driver heard last; undefined while none does.
   *
   * @throws RdbError RDB_PD_UNAVAILABLE while the placement driver is stopped
   */
  async leaderOf(key: string): Promise<number | undefined> {
    const { calls } = this.#runningPd();
    const { route } = await calls.pd.getRegion({ key: new TextEncoder().encode(key) });
    return route?.leader === undefined ? undefined : Number(route.leader.storeId);
  }

  /** Ends a Store as SIGKILL does: its peers elsewhere elect other leaders. Idempotent. */
  async killStore(id: number): Promise<void> {
    await this.#store(id).kill();
  }

  /** Starts a Store that was killed over what its disk kept. */
  async startStore(id: number): Promise<void> {
    await this.#store(id).start();
  }

  /**
   * Cuts the placement driver off from everybody: those who know where their Regions are go on. `healPd` ends that.
   */
  cutPd(): void {
    this.#gate.cut();
  }

  /** Ends `cutPd`. @throws RdbError RDB_PD_UNAVAILABLE when the placement driver was killed: start it */
  healPd(): void {
    this.#runningPd();
    this.#gate.open(this.#pd.port);
  }

  /** Ends the placement driver as SIGKILL does. Idempotent. */
  async killPd(): Promise<void> {
    this.#gate.cut();
    await this.#pd.kill();
  }

  /** Starts the placement driver over what its disk kept. */
  async startPd(): Promise<void> {
    await this.#pd.start();
    this.#gate.open(this.#pd.port);
  }

  /** Ends everything at once, and forgets all data. Idempotent. */
  async stop(): Promise<void> {
    await this.#gate.close();
    await Promise.all([...this.#stores, this.#pd].map((process) => process.kill()));
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #runningPd(): RunningPd {
    const { running } = this.#pd;
    if (running === undefined) {
      throw new RdbError("RDB_PD_UNAVAILABLE", "the placement driver was killed: startPd() starts it again");
    }
    return running;
  }

  async #allLed(): Promise<void> {
    const { driver, calls } = this.#runningPd();
    const events = driver.events.subscribe();
    const timer = setTimeout(() => events.end(), READY_TIMEOUT_MS);
    try {
      let state = await calls.pd.getClusterInfo({});
      const changes = events[Symbol.asyncIterator]();
      while (!state.bootstrapped || state.regionWithLeaderCount < state.regionCount) {
        if ((await changes.next()).done === true) {
          throw new RdbError(
            "RDB_DEADLINE_EXCEEDED",
            `${state.regionWithLeaderCount} of ${state.regionCount} Regions had a leader after ${READY_TIMEOUT_MS} ms`,
          );
        }
        state = await calls.pd.getClusterInfo({});
      }
    } finally {
      clearTimeout(timer);
      driver.events.release(events);
    }
  }

  #store(id: number): MemoryProcess<RunningStore> {
    const store = this.#stores[id - 1];
    if (store === undefined) {
      throw new RdbError(
        "RDB_INVALID_ARGUMENT",
        `there is no Store ${id}: it must be from 1 to ${this.#stores.length}`,
      );
    }
    return store;
  }
}
