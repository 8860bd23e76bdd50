import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "@connectrpc/connect";
import { RdbClient } from "@flaredb/rdb-client";
import { type GetClusterInfoResponse, PdAdminService, PdService } from "@flaredb/rdb-proto";
import { type UnaryTransport, unaryTransport } from "@flaredb/rdb-wire";
import { freePorts } from "../free-ports.ts";
import { waitFor } from "../wait.ts";
import { INITIAL_REGIONS, STORE_COUNT } from "./old-data.ts";
import { UpgradeProcess } from "./upgrade-process.ts";

const WAIT_MS = 30_000;
const CALL_TIMEOUT_MS = 2_000;

/** One PD and three Stores whose programs can be replaced one by one. */
export class UpgradeCluster {
  /** Holds the data folders `pd`, `store-1`, … */
  readonly folder: string;
  readonly pd: UpgradeProcess;
  readonly stores: readonly UpgradeProcess[];
  readonly pdAddress: string;
  readonly #connection: UnaryTransport;
  readonly #clients: RdbClient[] = [];

  static async prepare(): Promise<UpgradeCluster> {
    return new UpgradeCluster(await freePorts(2 + 2 * STORE_COUNT));
  }

  private constructor(ports: number[]) {
    const take = (): number => ports.pop() as number;
    this.folder = mkdtempSync(join(tmpdir(), "flaredb-upgrade-"));
    mkdirSync(join(this.folder, "logs"));
    const pdPort = take();
    this.pdAddress = `127.0.0.1:${pdPort}`;
    const pdFlags = ["--bootstrap-stores", String(STORE_COUNT), "--initial-regions", INITIAL_REGIONS];
    this.pd = new UpgradeProcess("rdb-pd", this.#place("pd", take()), [
      ...["--host", "127.0.0.1", "--port", String(pdPort)],
      ...pdFlags,
    ]);
    this.stores = Array.from({ length: STORE_COUNT }, (_, at) => {
      const place = this.#place(`store-${at + 1}`, take());
      const own = ["--host", "127.0.0.1", "--port", String(take()), "--pd", this.pdAddress];
      return new UpgradeProcess("rdb-server", place, own);
    });
    this.#connection = unaryTransport(this.pdAddress);
  }

  get pdClient(): Client<typeof PdService> {
    return createClient(PdService, this.#connection.transport);
  }

  get adminClient(): Client<typeof PdAdminService> {
    return createClient(PdAdminService, this.#connection.transport);
  }

  async start(tree: string): Promise<void> {
    await Promise.all([this.pd, ...this.stores].map((process) => process.start(tree)));
    await this.whole();
  }

  /** A client of the present SDK; closed with the cluster. */
  async connect(): Promise<RdbClient> {
    const client = await RdbClient.connect({ pd: [this.pdAddress] });
    this.#clients.push(client);
    return client;
  }

  info(): Promise<GetClusterInfoResponse> {
    return this.pdClient.getClusterInfo({}, { timeoutMs: CALL_TIMEOUT_MS });
  }

  /** Waits until PD sees every Store up, and every Region with a leader and all of its peers near its end. */
  async whole(): Promise<void> {
    await waitFor("a whole cluster", WAIT_MS, async () => {
      const info = await this.info();
      const { routes } = await this.pdClient.listRegions({}, { timeoutMs: CALL_TIMEOUT_MS });
      const isWell = ({ downPeerIds, pendingPeerIds, leader }: (typeof routes)[number]): boolean =>
        leader !== undefined && downPeerIds.length === 0 && pendingPeerIds.length === 0;
      return (
        info.upStoreCount === STORE_COUNT &&
        info.regionCount > 0 &&
        info.regionWithLeaderCount === info.regionCount &&
        routes.every(isWell)
      );
    });
  }

  unexpectedEnds(): string[] {
    return [this.pd, ...this.stores].flatMap((process) => process.unexpectedEnds());
  }

  /** Where in the logs a reader begins to look for why something did not come about. */
  lastLines(): string {
    return [this.pd, ...this.stores]
      .map((process) => process.log().split("\n").slice(-40).join("\n"))
      .join("\n\n");
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    this.#connection.close();
    await Promise.all([this.pd, ...this.stores].map((process) => process.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #place(name: string, httpPort: number): ConstructorParameters<typeof UpgradeProcess>[1] {
    const logFile = join(this.folder, "logs", `${name}.log`);
    return { dataDir: join(this.folder, name), logFile, httpPort };
  }
}
