import { RdbError } from "@flaredb/rdb-base";
import type { MemoryCluster, MemoryClusterOptions } from "@flaredb/rdb-testing";
import { RdbClient } from "../client.ts";
import type { ConnectOptions } from "../options.ts";

/** What a cluster for tests is to be like. */
export type TestClusterOptions = MemoryClusterOptions;

/**
 * Starts a whole cluster inside this process, for tests: the Stores and the placement driver of production, on disks in
 * memory and ports of loopback. Resolves when it can be used, in a fraction of a second. Needs Node 24 and the package
 * `@flaredb/rdb-testing` beside this one.
 *
 *     await using cluster = await startTestCluster({ stores: 3 });
 *     const db = await cluster.client();
 *
 * @throws RdbError RDB_CONFIG_INVALID when `@flaredb/rdb-testing` is not installed, or keys make no Regions
 * @throws RdbError RDB_INVALID_ARGUMENT for options that make no cluster
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { MemoryCluster } = await loadTesting();
  return new TestCluster(await MemoryCluster.start(options));
}

/** A cluster of this process, and what can happen to it. */
export class TestCluster {
  readonly #cluster: MemoryCluster;
  readonly #clients: RdbClient[] = [];

  /** @internal */
  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  /** host:port of the placement driver, for whoever connects by itself. Stays the same until `stop`. */
  get pdAddress(): string {
    return this.#cluster.pdAddress;
  }

  /** The ids of the Stores: 1, 2, … */
  get storeIds(): readonly number[] {
    return this.#cluster.storeIds;
  }

  /** A client of its own, which is closed with the cluster at the latest. */
  async client(options: Omit<ConnectOptions, "pd"> = {}): Promise<RdbClient> {
    const client = await RdbClient.connect({ ...options, pd: this.pdAddress });
    this.#clients.push(client);
    return client;
  }

  /**
   * Which Store leads the Region of a key, as the placement driver heard last; undefined while it knows of none.
   *
   * @throws RdbError RDB_PD_UNAVAILABLE while the placement driver is killed
   */
  leaderOf(key: string): Promise<number | undefined> {
    return this.#cluster.leaderOf(key);
  }

  /**
   * Ends a Store as SIGKILL does: its connections break, and what its disk had not synced is lost. Where it led, others
   * are elected as long as most Stores live. Idempotent.
   */
  killStore(id: number): Promise<void> {
    return this.#cluster.killStore(id);
  }

  /** Starts a Store that was killed, over what its disk kept. */
  startStore(id: number): Promise<void> {
    return this.#cluster.startStore(id);
  }

  /** Cuts the placement driver off from clients and Stores, until `healPd`. Clients that have the map go on. */
  cutPd(): void {
    this.#cluster.cutPd();
  }

  /** Ends what `cutPd` began. */
  healPd(): void {
    this.#cluster.healPd();
  }

  /** Ends the placement driver as SIGKILL does. Idempotent. */
  killPd(): Promise<void> {
    return this.#cluster.killPd();
  }

  /** Starts the placement driver that was killed, over what its disk kept, at the same address. */
  startPd(): Promise<void> {
    return this.#cluster.startPd();
  }

  /** Ends clients and cluster at once; all data is gone. Idempotent. */
  async stop(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await this.#cluster.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

async function loadTesting(): Promise<{ readonly MemoryCluster: typeof MemoryCluster }> {
  try {
    return await import("@flaredb/rdb-testing");
  } catch (cause) {
    throw new RdbError(
      "RDB_CONFIG_INVALID",
      `startTestCluster needs @flaredb/rdb-testing, which cannot be loaded: ${RdbError.from(cause).message}; ` +
        "install it beside @flaredb/rdb-client, in the same version (npm install --save-dev @flaredb/rdb-testing)",
      { cause },
    );
  }
}
