import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { RdbClient } from "@flaredb/rdb-client";
import { PdAdminService, PdService, type RegionRoute, type StoreStatus } from "@flaredb/rdb-proto";
import { type UnaryTransport, unaryTransport } from "@flaredb/rdb-wire";
import { PD_PROGRAM, TestStore } from "../cluster.ts";
import { freePorts } from "../free-ports.ts";
import { ManagedProcess } from "../managed-process.ts";
import { waitFor } from "../wait.ts";

const STORE_MAX_COUNT = 10;
const SERVING_TIMEOUT_MS = 30_000;
const CALL_TIMEOUT_MS = 5_000;

export interface ElasticOptions {
  /** So many Stores begin; each further one is `addStore`'s. */
  readonly bootstrapStores: number;
  /** Fields of PD's config file. */
  readonly pdConfig: Readonly<Record<string, unknown>>;
  /** Fields of each Store's config file. */
  readonly storeConfig: Readonly<Record<string, unknown>>;
  /** How long the start may take until every Region has a leader. Default: 30 s. */
  readonly servingTimeoutMs?: number;
}

/** What PD knows at one moment. */
export interface ClusterLook {
  readonly regions: readonly RegionRoute[];
  readonly stores: readonly StoreStatus[];
  readonly operatorCount: number;
}

/** A cluster of real processes on free ports, with its data in a temporary folder, to which Stores can be added. */
export class ElasticCluster {
  readonly pdAddress: string;
  readonly pd: Client<typeof PdService>;
  readonly admin: Client<typeof PdAdminService>;
  readonly stores: TestStore[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "flaredb-elastic-"));
  readonly #options: ElasticOptions;
  readonly #ports: number[];
  readonly #pdProcess: ManagedProcess;
  readonly #connection: UnaryTransport;
  readonly #clients: RdbClient[] = [];

  /** Starts PD and the first Stores, and waits until every Region has a leader. */
  static async start(options: ElasticOptions): Promise<ElasticCluster> {
    const cluster = new ElasticCluster(options, await freePorts(2 + 2 * STORE_MAX_COUNT));
    try {
      await cluster.#pdProcess.launch();
      await Promise.all(Array.from({ length: options.bootstrapStores }, () => cluster.addStore()));
      await cluster.#waitUntilServing();
      return cluster;
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  private constructor(options: ElasticOptions, ports: number[]) {
    this.#options = options;
    this.#ports = ports;
    const port = this.#takePort();
    const configFile = join(this.#folder, "pd.json");
    writeFileSync(configFile, JSON.stringify(options.pdConfig));
    this.pdAddress = `127.0.0.1:${port}`;
    this.#pdProcess = new ManagedProcess({
      name: "pd",
      program: PD_PROGRAM,
      args: [
        ...["--config", configFile, "--data-dir", join(this.#folder, "pd")],
        ...["--port", String(port), "--http-port", String(this.#takePort())],
        ...["--bootstrap-stores", String(options.bootstrapStores)],
      ],
      logFile: join(this.#folder, "pd.log"),
    });
    this.#connection = unaryTransport(this.pdAddress);
    this.pd = createClient(PdService, this.#connection.transport);
    this.admin = createClient(PdAdminService, this.#connection.transport);
  }

  /** Starts one more Store, and waits until it serves. */
  async addStore(): Promise<TestStore> {
    const ports = { rpc: this.#takePort(), http: this.#takePort(), proxy: undefined };
    const { storeConfig } = this.#options;
    const store = new TestStore(this.stores.length, this.#folder, ports, this.pdAddress, { storeConfig });
    this.stores.push(store);
    await store.launch();
    return store;
  }

  /** A client of its own; closed with the cluster. */
  async connect(): Promise<RdbClient> {
    const client = await RdbClient.connect({ pd: [this.pdAddress] });
    this.#clients.push(client);
    return client;
  }

  async look(): Promise<ClusterLook> {
    const options = { timeoutMs: CALL_TIMEOUT_MS };
    const regions: RegionRoute[] = [];
    let startKey: Uint8Array = new Uint8Array();
    do {
      const page = await this.pd.listRegions({ startKey }, options);
      regions.push(...page.routes);
      startKey = page.nextKey;
    } while (startKey.length > 0);
    const { statuses } = await this.pd.listStores({}, options);
    const { operators } = await this.admin.listOperators({}, options);
    return { regions, stores: statuses, operatorCount: operators.length };
  }

  /** The id that PD gave a Store. */
  async idOf(store: TestStore): Promise<bigint> {
    return waitFor(`the id of ${store.plan.name}`, SERVING_TIMEOUT_MS, async () => {
      const { statuses } = await this.pd.listStores({}, { timeoutMs: CALL_TIMEOUT_MS });
      return statuses.find((status) => status.store?.address === store.address)?.store?.id;
    });
  }

  /** Ends that nobody asked for. */
  unexpectedEnds(): string[] {
    return [this.#pdProcess, ...this.stores].flatMap((process) => process.unexpectedEnds);
  }

  /**
   * Ends everything at once and removes its data.
   *
   * @param keepLogs leaves the processes' logs behind; the folder is returned
   */
  async dispose(keepLogs = false): Promise<string> {
    for (const client of this.#clients) {
      client.close();
    }
    this.#connection.close();
    await Promise.all([this.#pdProcess, ...this.stores].map((process) => process.kill()));
    for (const name of readdirSync(this.#folder)) {
      if (!keepLogs || !name.endsWith(".log")) {
        rmSync(join(this.#folder, name), { recursive: true, force: true });
      }
    }
    if (!keepLogs) {
      rmSync(this.#folder, { recursive: true, force: true });
    }
    return this.#folder;
  }

  #takePort(): number {
    const port = this.#ports.pop();
    if (port === undefined) {
      throw new Error(`an elastic cluster has at most ${STORE_MAX_COUNT} Stores`);
    }
    return port;
  }

  async #waitUntilServing(): Promise<void> {
    const timeoutMs = this.#options.servingTimeoutMs ?? SERVING_TIMEOUT_MS;
    await waitFor("a cluster with a leader for every Region", timeoutMs, async () => {
      const info = await this.pd.getClusterInfo({}, { timeoutMs: CALL_TIMEOUT_MS });
      return info.bootstrapped && info.regionCount > 0 && info.regionWithLeaderCount === info.regionCount;
    });
  }
}
