import { RdbError, SeededRandom, assert, silentLogger } from "@flaredb/rdb-base";
import { type RunningPd, parsePdConfig, runPd } from "@flaredb/rdb-pd";
import { type RunningStore, parseStoreConfig, runStore } from "@flaredb/rdb-server";
import { MemoryDisk } from "./memory-disk.ts";
import { ProcessLife } from "./process-life.ts";

/** What a process needs to start, given anew at each start. */
type Start<Running> = (life: ProcessLife, disk: MemoryDisk) => Promise<Running>;

/** A Store or a placement driver that can be killed and started again over its disk. */
export class MemoryProcess<Running> {
  readonly name: string;
  readonly #start: Start<Running>;
  readonly #disk: MemoryDisk;
  #life: ProcessLife | undefined;
  #running: Running | undefined;

  constructor(name: string, seed: number, start: Start<Running>) {
    this.name = name;
    this.#start = start;
    this.#disk = new MemoryDisk(new SeededRandom(seed));
  }

  /** undefined: it was killed, or never started. */
  get running(): Running | undefined {
    return this.#running;
  }

  /** Where it really listens, whatever it advertises. Only while it runs. */
  get port(): number {
    assert(this.#life !== undefined, "a process that was killed has no port");
    return this.#life.port;
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT when it runs */
  async start(): Promise<Running> {
    if (this.#life !== undefined) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `${this.name} runs already`);
    }
    const life = new ProcessLife();
    this.#life = life;
    const running = await this.#start(life, this.#disk);
    if (life.isDead) {
      throw new RdbError("RDB_CLOSED", `${this.name} was killed while it started`);
    }
    this.#running = running;
    return running;
  }

  /** Ends it as SIGKILL does. Idempotent. */
  async kill(): Promise<void> {
    const life = this.#life;
    if (life === undefined) {
      return;
    }
    this.#running = undefined;
    // Before anything else gets a turn: what was not synced by now is lost.
    this.#disk.crash();
    await life.kill();
    this.#life = undefined;
  }
}

/** What a dead process still finds wrong, out of a callback of its last moment, is nobody's failure. */
function unlessDead(life: ProcessLife, tell: (error: RdbError) => void): (error: RdbError) => void {
  return (error) => life.isDead || tell(error);
}

/** Where nothing is kept: the disks are in memory. */
const NO_FOLDER = "in-memory";

/** Twice as fast as the defaults, so that a test of a failover takes no seconds; slower than a busy machine stalls. */
const FAST_STORE = { tickMs: 10, electionTicks: 50, leaseMs: 400 } as const;

/** The placement driver. `advertiseAddress` is where others reach it. */
export function memoryPd(
  config: { readonly bootstrapStores: number; readonly initialSplitKeys: readonly string[] },
  advertiseAddress: string,
  ports: { readonly seed: number; readonly onFatal: (error: RdbError) => void },
): MemoryProcess<RunningPd> {
  return new MemoryProcess("the placement driver", ports.seed, (life, disk) =>
    runPd(
      parsePdConfig({
        ...{ dataDir: NO_FOLDER, port: 0, httpPort: 0, advertiseAddress },
        ...{ bootstrapStores: config.bootstrapStores, initialSplitKeys: config.initialSplitKeys },
        replicas: Math.min(config.bootstrapStores, REPLICAS),
      }),
      {
        ...{
          clock: life.clock,
          wire: life.wire,
          logger: silentLogger,
          onFatal: unlessDead(life, ports.onFatal),
        },
        random: new SeededRandom(ports.seed),
        openEngine: (onFatal) => disk.openEngine(life.clock, onFatal),
        httpAddress: "",
      },
    ),
  );
}

/** Peers of a Region, where there are Stores enough. */
const REPLICAS = 3;

/** A Store. */
export function memoryStore(
  name: string,
  pdAddress: string,
  ports: { readonly seed: number; readonly onFatal: (error: RdbError) => void },
): MemoryProcess<RunningStore> {
  return new MemoryProcess(name, ports.seed, (life, disk) =>
    runStore(
      parseStoreConfig({
        ...{ dataDir: NO_FOLDER, port: 0, httpPort: 0, pdAddresses: [pdAddress], labels: { host: name } },
        ...FAST_STORE,
      }),
      {
        ...{
          clock: life.clock,
          wire: life.wire,
          logger: silentLogger,
          onFatal: unlessDead(life, ports.onFatal),
        },
        random: new SeededRandom(ports.seed),
        disk: disk.forStore(life.clock),
        httpAddress: "",
        residentMemoryBytes: () => 0,
      },
    ),
  );
}
