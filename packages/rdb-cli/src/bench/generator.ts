import { type Random, systemClock, systemRandom } from "@flaredb/rdb-base";
import { RdbClient } from "@flaredb/rdb-client";
import type { TlsFiles } from "@flaredb/rdb-wire";
import { Latencies } from "./latencies.ts";
import { Load, type LoadPorts, type LoadResult } from "./load.ts";
import { type BenchClient, makeOperation, type Operation } from "./operations.ts";
import type { BenchOptions } from "./options.ts";
import { ClosedLoop, OpenLoop, type Schedule } from "./schedule.ts";

/** Something that makes load: this process, or another one. */
export interface Generator {
  /** Connects and warms up; resolves when it is ready to be measured. */
  prepare(): Promise<void>;
  /** Measures; after `stop` it ends soon, with the figures so far. */
  run(): Promise<LoadResult>;
  /** Latencies since this was last asked. */
  takeInterval(): Latencies;
  /** How long it took for what `takeInterval` last gave to come. */
  readonly intervalMs: number;
  stop(): void;
  /** Gives back what it holds. */
  close(): void;
}

/** Where the cluster is, and how long a call may take. */
export interface Target {
  readonly pdAddresses: readonly string[];
  readonly deadlineMs: number;
  /** undefined: nothing is encrypted. */
  readonly tls?: TlsFiles | undefined;
}

/** What a generator stands on. */
export interface GeneratorPorts extends LoadPorts {
  readonly random: Random;
  connect(target: Target): Promise<BenchClient & { close(): void }>;
}

/** Real time, chance and network. */
export const systemGeneratorPorts: GeneratorPorts = {
  clock: systemClock,
  random: systemRandom,
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
  connect: ({ pdAddresses, deadlineMs, tls }) =>
    RdbClient.connect({ pd: pdAddresses, deadlineMs, ...(tls === undefined ? {} : { tls }) }),
};

/** Makes the load in this process, through a client of its own. */
export class LocalGenerator implements Generator {
  readonly #options: BenchOptions;
  readonly #target: Target;
  readonly #ports: GeneratorPorts;
  #client: (BenchClient & { close(): void }) | undefined;
  #load: Load<unknown> | undefined;
  #isStopped = false;
  #intervalFromMs = 0;
  #intervalMs = 0;

  constructor(options: BenchOptions, target: Target, ports: GeneratorPorts = systemGeneratorPorts) {
    this.#options = options;
    this.#target = target;
    this.#ports = ports;
  }

  async prepare(): Promise<void> {
    this.#client = await this.#ports.connect(this.#target);
    await this.#drive(this.#options.warmUpSeconds, Infinity);
  }

  run(): Promise<LoadResult> {
    const { seconds = Infinity, total = Infinity } = this.#options;
    return this.#drive(seconds, total);
  }

  takeInterval(): Latencies {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#intervalMs = nowMs - this.#intervalFromMs;
    this.#intervalFromMs = nowMs;
    return this.#load?.takeInterval() ?? new Latencies();
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  stop(): void {
    this.#isStopped = true;
    this.#load?.stop();
  }

  close(): void {
    this.#client?.close();
  }

  async #drive(seconds: number, total: number): Promise<LoadResult> {
    const { clock } = this.#ports;
    const { clients, rate, place, processes } = this.#options;
    // Large values take a part of a second to make: before time counts, or the first calls were late for it.
    const operation = this.#operation();
    const end = {
      startMs: clock.monotonicMs(),
      durationMs: this.#isStopped ? 0 : seconds * 1_000,
      total,
    };
    this.#intervalFromMs = end.startMs;
    const schedule: Schedule =
      rate === undefined ? new ClosedLoop(end) : new OpenLoop(end, rate, { place, of: processes });
    this.#load = new Load(this.#ports, operation, schedule, clients);
    return this.#load.run();
  }

  #operation(): Operation<unknown> {
    return makeOperation(this.#client as BenchClient, this.#options, this.#ports.random);
  }
}
