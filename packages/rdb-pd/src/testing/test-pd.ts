import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RdbError, SeededRandom, silentLogger } from "@flaredb/rdb-base";
import { type Client, createClient } from "@connectrpc/connect";
import { PdAdminService, PdService } from "@flaredb/rdb-proto";
import { type UnaryTransport, unaryTransport } from "@flaredb/rdb-wire";
import { parsePdConfig } from "../config.ts";
import type { RunningPd } from "../run-pd.ts";
import { startPd } from "../start-pd.ts";
import { ShiftableClock } from "./shiftable-clock.ts";

let seed = 1;

/** A real PD over a folder of its own, on free ports, and clients for it. */
export class TestPd {
  readonly clock: ShiftableClock;
  readonly dataDir: string;
  readonly #config: object;
  readonly #connections: UnaryTransport[] = [];
  #pd: RunningPd;

  private constructor(clock: ShiftableClock, dataDir: string, config: object, pd: RunningPd) {
    this.clock = clock;
    this.dataDir = dataDir;
    this.#config = config;
    this.#pd = pd;
  }

  static async start(config: object = {}): Promise<TestPd> {
    const dataDir = await mkdtemp(join(tmpdir(), "rdb-pd-"));
    const clock = new ShiftableClock();
    return new TestPd(clock, dataDir, config, await start(clock, dataDir, config));
  }

  get address(): string {
    return this.#pd.address;
  }

  get httpAddress(): string {
    return this.#pd.httpAddress;
  }

  get clusterId(): bigint {
    return BigInt(this.#pd.clusterId);
  }

  /** A client on a connection of its own. */
  client(): Client<typeof PdService> {
    const connection = unaryTransport(this.address);
    this.#connections.push(connection);
    return createClient(PdService, connection.transport);
  }

  /** As `client`, for what people ask. */
  adminClient(): Client<typeof PdAdminService> {
    const connection = unaryTransport(this.address);
    this.#connections.push(connection);
    return createClient(PdAdminService, connection.transport);
  }

  /** Stops PD and starts it over the same folder; clients have to be made anew. */
  async restart(config: object = this.#config): Promise<void> {
    await this.stop();
    this.#pd = await start(this.clock, this.dataDir, config);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** Only `restart` and `close` come after. */
  async stop(): Promise<void> {
    for (const connection of this.#connections.splice(0)) {
      connection.close();
    }
    await this.#pd.close();
  }
}

function start(clock: ShiftableClock, dataDir: string, config: object): Promise<RunningPd> {
  seed += 1;
  return startPd(parsePdConfig({ dataDir, port: 0, httpPort: 0, ...config }), {
    clock,
    random: new SeededRandom(seed),
    logger: silentLogger,
    onFatal: (error: RdbError) => {
      throw error;
    },
  });
}
