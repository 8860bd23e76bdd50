import type { Random } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import type { Call } from "../check/history.ts";
import { History } from "../check/history.ts";
import type { Violation } from "../check/violation.ts";
import type { SimCluster } from "../cluster/sim-cluster.ts";
import type { SimProcess } from "../cluster/sim-process.ts";
import type { ClusterShape } from "../faults/cluster-shape.ts";
import { eagerKeyOf } from "../faults/elastic-action.ts";
import { type Plan, streamOf } from "../faults/plan.ts";
import { isReadOnlyAt, isStaged, stagedFaultAt, writesIn } from "../faults/staged-faults.ts";
import { BankWorkload } from "../workload/bank-workload.ts";
import { CallRecorder } from "../workload/call-recorder.ts";
import type { WorkloadOptions } from "../workload/client-loops.ts";
import { type EagerTask, EagerWorkload } from "../workload/eager-workload.ts";
import { ListWorkload } from "../workload/list-workload.ts";
import { PrefixWorkload } from "../workload/prefix-workload.ts";
import { RecordedClient } from "../workload/recorded-client.ts";
import { RegisterWorkload } from "../workload/register-workload.ts";
import type { Workload } from "../workload/workload.ts";

/** Each Region's keys begin with its letter. */
const LETTERS = ["a", "b", "c", "d"] as const;
/** What one client wrote it scans whole: it should not write too much. */
const PREFIX_PAUSE_FACTOR = 6;
const NS_PER_MS = 1_000_000;

/** Where the Regions of a run begin, beside the first one. */
export function splitKeysOf({ regionCount }: ClusterShape): string[] {
  return LETTERS.slice(1, regionCount);
}

/** What goes on besides registers. */
const companions = ["none", "prefix", "bank", "list"] as const;

/** What the clients of a run do, and the history of it. */
export class SeedWorkloads {
  readonly history = new History();
  readonly #plan: Plan;
  readonly #shape: ClusterShape;
  readonly #random: Random;
  readonly #onCall: (call: Call) => void;
  readonly #recorders = new Map<string, CallRecorder>();
  #nowNs: () => number = () => 0;
  #running: readonly Workload[] = [];

  constructor(plan: Plan, onCall: (call: Call) => void) {
    this.#plan = plan;
    this.#shape = plan.shape;
    this.#random = streamOf(plan.seed, "calls");
    this.#onCall = onCall;
  }

  /** What a client process tells of its answers. */
  recorderOf(process: string): CallRecorder {
    let recorder = this.#recorders.get(process);
    if (recorder === undefined) {
      const nowNs = (): number => this.#nowNs();
      recorder = new CallRecorder({ history: this.history, nowNs, onCall: this.#onCall });
      this.#recorders.set(process, recorder);
    }
    return recorder;
  }

  /** The clients begin as soon as they run. */
  start(cluster: SimCluster): void {
    this.#startUsual(cluster);
    if (this.#plan.faults.some(isStaged)) {
      this.#startEager(cluster);
    }
  }

  /** While a leader may be in doubt: the clients that lose it write, the others read. Or while one Store misses much. */
  #startEager(cluster: SimCluster): void {
    const { clock } = cluster;
    const { faults } = this.#plan;
    const startedMs = clock.monotonicMs();
    const task = (): EagerTask | undefined => {
      const nowMs = clock.monotonicMs() - startedMs;
      const fault = stagedFaultAt(faults, nowMs);
      const places = isReadOnlyAt(faults, nowMs) ? [] : cluster.clients.map((_, place) => place);
      return (
        fault && {
          key: eagerKeyOf(fault.region),
          writers: new Set(places.filter((place) => writesIn(fault, place))),
        }
      );
    };
    const eager = new EagerWorkload({
      clients: cluster.clients.map(({ name, process }) => this.clientOn(`${name}e`, process)),
      ...{ clock, random: streamOf(this.#plan.seed, "eager calls"), task },
    });
    this.#running = [...this.#running, eager];
  }

  #startUsual(cluster: SimCluster): void {
    const { clock } = cluster;
    this.#nowNs = () => Math.round(clock.monotonicMs() * NS_PER_MS);
    const { pauseMaxMs, regionCount } = this.#shape;
    const startedMs = clock.monotonicMs();
    const isAtRest = (): boolean => isReadOnlyAt(this.#plan.faults, clock.monotonicMs() - startedMs);
    const optionsOf = (suffix: string, pauseFactor = 1): WorkloadOptions => ({
      clients: cluster.clients.map(({ name, process }) => this.clientOn(`${name}${suffix}`, process)),
      ...{ clock, pauseMaxMs: pauseMaxMs * pauseFactor, random: this.#random, isAtRest },
    });
    const letters = LETTERS.slice(0, regionCount);
    const groupsOf = (name: string, count: number): string[][] =>
      letters.map((letter) => Array.from({ length: count }, (_, place) => `${letter}-${name}${place}`));
    const registers = new RegisterWorkload({
      ...optionsOf(""),
      groups: groupsOf("key", 1 + this.#random.nextInt(regionCount > 2 ? 2 : 4)),
    });
    const anyLetter = letters[this.#random.nextInt(letters.length)] ?? "a";
    const companion = companions[this.#random.nextInt(companions.length)];
    // A look at accounts that a split has put into two Regions is no snapshot of both.
    const isBank = companion === "bank";
    switch (isBank && this.#shape.elastic !== undefined ? "prefix" : companion) {
      case "prefix":
        this.#running = [
          registers,
          new PrefixWorkload({
            ...optionsOf("p", PREFIX_PAUSE_FACTOR),
            prefixOf: (place) => `${letters[place % letters.length]}-own `,
          }),
        ];
        return;
      case "bank":
        this.#running = [registers, new BankWorkload({ ...optionsOf("b"), prefix: `${anyLetter}-` })];
        return;
      case "list":
        this.#running = [
          registers,
          new ListWorkload({ ...optionsOf("l"), keys: groupsOf("list", 1).flat() }),
        ];
        return;
      default:
        this.#running = [registers];
    }
  }

  /** A client of the history in a process; it calls only while the process runs. */
  clientOn(name: string, process: SimProcess<RdbClient>): RecordedClient {
    return new RecordedClient({
      name,
      recorder: this.recorderOf(process.name),
      client: () => (process.isWell ? process.running : undefined),
    });
  }

  /** What clients saw that cannot be, so far. */
  get violations(): Violation[] {
    return this.#running.flatMap(({ violations }) => violations);
  }

  /** Lets the calls under way end, and waits for them. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((workload) => workload.stop()));
  }

  /** Reads back what must be there. */
  async finish(client: RecordedClient): Promise<void> {
    for (const workload of this.#running) {
      await workload.finish(client);
    }
  }

  /** One key of each Region that nobody else uses. */
  get probeKeys(): string[] {
    return LETTERS.slice(0, this.#shape.regionCount).map((letter) => `${letter}-probe`);
  }
}
