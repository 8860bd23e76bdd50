import { type RegionId, SeededRandom } from "@flaredb/rdb-base";
import { type RaftMessage, RaftServiceBatchRequestSchema } from "@flaredb/rdb-proto";
import type { RunningStore } from "@flaredb/rdb-server";
import { fromBinary } from "@bufbuild/protobuf";
import { ClusterInvariants } from "../check/cluster-invariants.ts";
import { type Call, History } from "../check/history.ts";
import { type Member, SimCluster } from "../cluster/sim-cluster.ts";
import type { EndKind } from "../cluster/sim-process.ts";
import type { ClockShape, Limits } from "../faults/cluster-shape.ts";
import type { ActiveNetworkFault } from "../faults/network-faults.ts";
import { streamOf } from "../faults/plan.ts";
import { UsedIdentities } from "../run/used-identities.ts";
import type { LinkState } from "../wire/link.ts";
import type { NetMessage, Verdict } from "../wire/net-event.ts";
import { CallRecorder } from "../workload/call-recorder.ts";
import { PrefixWorkload } from "../workload/prefix-workload.ts";
import { RecordedClient } from "../workload/recorded-client.ts";
import { RegisterWorkload } from "../workload/register-workload.ts";
import type { Workload } from "../workload/workload.ts";
import { ScenarioClient } from "./scenario-client.ts";
import { ScenarioWatch } from "./scenario-watch.ts";

export interface ScenarioOptions {
  /** The same seed, the same run. */
  readonly seed: number;
  /** Default 3. Each Region has a peer on every Store. */
  readonly storeCount?: number;
  /** Where Regions begin. Default: none, one Region over everything. */
  readonly splitKeys?: readonly string[];
  /** Default 2. */
  readonly clientCount?: number;
  /** How long a call of a client may take when it does not say, in ms. Default 60,000. */
  readonly callTimeoutMs?: number;
  /** Limits that differ from production's. */
  readonly limits?: Partial<Limits>;
  /** How the clocks run: Stores, then PD, then clients. Default: exactly. */
  readonly clocks?: (place: number) => ClockShape;
}

export type StoreMember = Member<RunningStore>;
export type RegionStatus = NonNullable<ReturnType<RunningStore["store"]["regionStatus"]>>;

/** Added to every seed, so that the same scenarios can be played in other ways. */
const SEED_OFFSET = Number(process.env["FLAREDB_SCENARIO_SEED"] ?? 0);
/** Longest time that anything a scenario waits for may take, in virtual ms. */
const PATIENCE_MS = 60_000;
/** A client of a loop rests up to this long between calls. */
const PAUSE_MAX_MS = 100;
const NS_PER_MS = 1e6;
const SNAPSHOT_PATH = "/rdb.v1.RaftService/Snapshot";
/** Stands in the names of the loops' clients, in no others. */
const LOOP_MARK = ".";
/** Keys that all loops share. */
const REGISTERS = ["register 0", "register 1", "register 2", "register 3"];
/** The longest election timeout of the default configuration, in ms. */
export const ELECTION_MS = 2_000;

/** Production's limits, where they matter to scenarios. */
const LIMITS: Limits = {
  logGcMaxEntries: 50_000,
  logGcMaxBytes: 128 * 1024 * 1024,
  logGcCheckIntervalMs: 10_000,
  snapshotChunkMaxBytes: 1024 * 1024,
  maxSizePerMessageBytes: 1024 * 1024,
  maxInflightMessages: 256,
  entryMaxBytes: 1024 * 1024,
  proposalQueueMaxCount: 16_384,
  readQueueMaxCount: 65_536,
  entryCacheBytes: 64 * 1024 * 1024,
  hibernateAfterMs: 10_000,
  slowDiskMs: 1_000,
  leaseReads: true,
};

/** A whole cluster, on which a scenario of SCENARIOS.md is played. */
export class Scenario {
  readonly cluster: SimCluster;
  readonly watch: ScenarioWatch;
  readonly history = new History();
  readonly clients: readonly ScenarioClient[];
  readonly limits: Limits;
  readonly random: SeededRandom;
  readonly workloads: Workload[] = [];
  /** What calls of the client loops failed with. */
  readonly loopFailures: Call[] = [];
  readonly #recorders = new Map<string, CallRecorder>();
  readonly #used = new UsedIdentities();
  #okCount = 0;
  readonly #repairs = new Set<() => void>();

  private constructor(options: ScenarioOptions) {
    const { storeCount = 3, splitKeys = [], clientCount = 2, callTimeoutMs = PATIENCE_MS } = options;
    const seed = options.seed + SEED_OFFSET;
    const clocks = options.clocks ?? (() => ({ rate: 1, wallOffsetMs: 0 }));
    this.limits = { ...LIMITS, ...options.limits };
    this.random = new SeededRandom(seed);
    this.watch = new ScenarioWatch(() => this.nowMs);
    this.cluster = new SimCluster({
      shape: {
        ...{ storeCount, replicaCount: storeCount, clientCount, callTimeoutMs, limits: this.limits },
        regionCount: splitKeys.length + 1,
        pauseMaxMs: PAUSE_MAX_MS,
        clocks: Array.from({ length: storeCount + 1 + clientCount }, (_, place) => clocks(place)),
        latencyMs: [0.1, 0.5],
        syncMs: [0.1, 0.5],
      },
      splitKeys,
      randomOf: (purpose) => streamOf(seed, purpose),
      loggerOf: (process) => this.watch.loggerOf(process),
      watcher: this.watch,
      invariants: new ClusterInvariants((violation) => this.watch.violated(violation)),
      recorderOf: (process) => ({
        onAnswer: (answer) => {
          this.#used.answered(process, answer);
          this.#recorderOf(process).onAnswer(answer);
        },
      }),
    });
    this.watch.onProcess = (name, event) => event === "start" && this.#used.started(name);
    this.cluster.net.mayRepeat = (host, message) => this.#used.mayRepeat(host, message);
    this.clients = this.cluster.clients.map(
      ({ name, process }) =>
        new ScenarioClient({ name, recorder: this.#recorderOf(name), running: () => process.running }),
    );
  }

  /** Starts everything, and waits until every Region is led. */
  static async start(options: ScenarioOptions): Promise<Scenario> {
    const scenario = new Scenario(options);
    scenario.cluster.start();
    await scenario.untilServing();
    return scenario;
  }

  get nowMs(): number {
    return this.cluster.clock.monotonicMs();
  }

  get stores(): readonly StoreMember[] {
    return this.cluster.stores;
  }

  /** The Regions by their keys, as a running Store knows them. */
  get regionIds(): readonly RegionId[] {
    const statuses = this.stores.find(({ process }) => process.running !== undefined)?.process.running;
    return (statuses?.store.regionStatuses() ?? [])
      .toSorted((a, b) => Buffer.compare(a.region.startKey, b.region.startKey))
      .map(({ region }) => region.id);
  }

  /** Everybody but these. */
  others(...members: readonly StoreMember[]): StoreMember[] {
    return this.stores.filter((store) => !members.includes(store));
  }

  /** How the peer of a Region on a Store stands. */
  statusOf(store: StoreMember, region = 0): RegionStatus {
    const id = this.regionIds[region];
    const status = id === undefined ? undefined : store.process.running?.store.regionStatus(id);
    if (status === undefined) {
      throw new Error(`${store.name} has no peer of Region ${region}\n${this.watch.tail()}`);
    }
    return status;
  }

  /** The Store that leads the Region at this place, in the highest term if several believe so. */
  leader(region = 0): StoreMember | undefined {
    return this.cluster.leaderOf(region);
  }

  /** Lets time pass until a Store leads that `accept` likes. */
  async waitForLeader(
    accept: (store: StoreMember) => boolean = () => true,
    region = 0,
  ): Promise<StoreMember> {
    const leads = (): StoreMember | undefined => {
      const store = this.leader(region);
      return store !== undefined && accept(store) ? store : undefined;
    };
    await this.until(`Region ${region} has a leader`, () => leads() !== undefined);
    return leads() as StoreMember;
  }

  /** For what runs beside the scenario, while that lets time pass. */
  pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.cluster.clock.setTimer(durationMs, resolve));
  }

  run(durationMs: number): Promise<void> {
    return this.cluster.clock.run(durationMs);
  }

  /** Lets time pass until the condition holds. @returns how long it took, in ms */
  async until(what: string, condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<number> {
    const startMs = this.nowMs;
    if (!(await this.cluster.clock.runUntil(condition, timeoutMs))) {
      throw new Error(`not within ${timeoutMs} ms: ${what}\n${this.watch.tail()}`);
    }
    return this.nowMs - startMs;
  }

  /** Lets time pass until the promise is settled. */
  complete<Result>(promise: Promise<Result>): Promise<Result> {
    return this.cluster.clock.complete(promise, 2 * PATIENCE_MS);
  }

  /** Every process serves, and every Region is led. */
  async untilServing(): Promise<void> {
    const { stores, pd, clients } = this.cluster;
    const members = [...stores, pd, ...clients];
    await this.until("every process serves", () => members.every(({ process }) => process.isWell));
    const isLed = (): boolean =>
      this.regionIds.length > 0 && this.regionIds.every((_, place) => this.leader(place) !== undefined);
    await this.until("every Region is led", isLed);
  }

  client(place = 0): ScenarioClient {
    return this.clients[place] as ScenarioClient;
  }

  put(key: string, value: string, deadlineMs?: number): Promise<void> {
    return this.complete(this.client().put(key, value, deadlineMs === undefined ? {} : { deadlineMs }));
  }

  get(key: string, deadlineMs?: number): Promise<string | undefined> {
    return this.complete(this.client().get(key, deadlineMs === undefined ? {} : { deadlineMs }));
  }

  /**
   * The client loop of SCENARIOS.md begins on every client, or on those at these places: puts and scans of its own keys.
   * Beside it a second client of the same process does everything to a few keys that all share.
   */
  startLoops(
    places: readonly number[] = this.clients.map((_, place) => place),
    pauseMaxMs = PAUSE_MAX_MS,
  ): void {
    const { clock } = this.cluster;
    const random = new SeededRandom(this.random.nextInt(2 ** 31));
    const clientsFor = (purpose: string): RecordedClient[] =>
      places.map((place) => this.#recordedClient(place, purpose));
    const common = { clock, random, pauseMaxMs };
    this.workloads.push(
      new PrefixWorkload({ ...common, clients: clientsFor("own"), prefixOf: () => "own " }),
      new RegisterWorkload({ ...common, clients: clientsFor("register"), groups: [REGISTERS] }),
    );
  }

  /** Answered calls of all client loops. */
  get okCount(): number {
    return this.#okCount;
  }

  /** Lets the loops end, and reads back what they wrote. */
  async finishLoops(): Promise<void> {
    await this.complete(Promise.all(this.workloads.map((workload) => workload.stop())));
    const reader = this.#recordedClient(0, "reader");
    await this.complete(Promise.all(this.workloads.map((workload) => workload.finish(reader))));
  }

  /** Everything that goes wrong in the network until the returned function is called, or `heal`. */
  fault(...faults: readonly ActiveNetworkFault[]): () => void {
    const ends = faults.map((fault) => this.cluster.addNetworkFault(fault));
    return this.#repairable(() => ends.forEach((end) => end()));
  }

  /** Nothing gets from these processes to the others, or back. */
  split(...left: readonly { readonly name: string }[]): () => void {
    return this.fault({ kind: "split", left: new Set(left.map(({ name }) => name)) });
  }

  /** Cuts these Stores off from the other Stores; clients and PD reach all of them. */
  splitStores(...left: readonly StoreMember[]): () => void {
    const right = this.others(...left);
    const pairs = left.flatMap((a) => right.map((b) => [a.name, b.name] as const));
    return this.fault(
      ...pairs.flatMap(([a, b]) => [
        { kind: "one-way", from: a, to: b } as const,
        { kind: "one-way", from: b, to: a } as const,
      ]),
    );
  }

  /** The Store and the other Stores reach each other like this until the returned function is called, or `heal`. */
  peerLinks(store: StoreMember, change: Partial<LinkState>): () => void {
    const { net } = this.cluster;
    const asBefore = this.cluster.addNetworkFault({ kind: "delay", maxMs: 0 });
    for (const other of this.others(store)) {
      net.setLink(store.name, other.name, change);
      net.setLink(other.name, store.name, change);
    }
    // Ending any fault sets all links anew.
    return this.#repairable(asBefore);
  }

  /** Ends the Store's process at the so manieth write from now on, as `SimDisk.crashAtWrite`. @returns whether it came to that */
  crashAtWrite(store: StoreMember, writeCount: number, moment: "torn" | "durable"): () => boolean {
    let hasCrashed = false;
    store.disk?.crashAtWrite(writeCount, moment, () => {
      hasCrashed = true;
      this.takeDown([store], "kill");
    });
    return () => hasCrashed;
  }

  /** Takes processes down until the returned function is called, or `heal`. */
  takeDown(members: readonly Pick<StoreMember, "process">[], how: EndKind | "stop"): () => void {
    const releases = members.map(({ process }) => process.hold());
    for (const { process } of members) {
      if (how === "stop") {
        process.stop();
      } else {
        process.end(how);
      }
    }
    return this.#repairable(() => releases.forEach((release) => release()));
  }

  /** Writes of the Store's disk take at least this long until the returned function is called, or `heal`. */
  slowDisk(store: StoreMember, writeMs: number): () => void {
    return this.#repairable(store.disk?.slow(writeMs) ?? (() => {}));
  }

  /** Ends every fault. */
  heal(): void {
    for (const repair of [...this.#repairs]) {
      repair();
    }
  }

  /** PD's command: the Region's leader hands over to this Store. */
  transfer(to: StoreMember, region = 0): void {
    this.cluster.transfer(region, to);
  }

  /** Decides about Raft's messages, one by one; a batch shares the fate of its worst. `undefined`: all arrive. */
  interceptRaft(decide: ((message: RaftMessage, link: NetMessage) => Verdict) | undefined): void {
    this.cluster.net.intercept =
      decide === undefined
        ? undefined
        : (sent) => {
            if (sent.isAnswer || sent.path !== "/rdb.v1.RaftService/Batch") {
              return "deliver";
            }
            const { messages } = fromBinary(RaftServiceBatchRequestSchema, sent.message);
            return messages.map((message) => decide(message, sent)).find(isNotDelivered) ?? "deliver";
          };
  }

  /** Every message of snapshots to this Store waits, in order, until it is released; then nothing waits any more. */
  holdSnapshots(to: StoreMember): { readonly heldCount: () => number; readonly release: () => void } {
    const { net } = this.cluster;
    net.intercept = (sent) => (sent.path === SNAPSHOT_PATH && sent.to === to.name ? "hold" : "deliver");
    return {
      heldCount: () => net.held.length,
      release: () => {
        net.intercept = undefined;
        for (const held of [...net.held]) {
          held.release();
        }
      },
    };
  }

  #recorderOf(process: string): CallRecorder {
    const known = this.#recorders.get(process);
    const nowNs = (): number => Math.round(this.nowMs * NS_PER_MS);
    const onCall = (call: Call): void => this.#noteCall(call);
    const recorder = known ?? new CallRecorder({ history: this.history, nowNs, onCall });
    this.#recorders.set(process, recorder);
    return recorder;
  }

  #noteCall(call: Call): void {
    if (!call.client.includes(LOOP_MARK)) {
      return;
    }
    if (call.outcome === "ok") {
      this.#okCount++;
    } else {
      this.loopFailures.push(call);
    }
  }

  #recordedClient(place: number, purpose: string): RecordedClient {
    const { name, process } = this.cluster.clients[place] as SimCluster["clients"][number];
    return new RecordedClient({
      name: `${name}${LOOP_MARK}${purpose}`,
      recorder: this.#recorderOf(name),
      client: () => process.running,
    });
  }

  #repairable(end: () => void): () => void {
    const repair = (): void => {
      if (this.#repairs.delete(repair)) {
        end();
      }
    };
    this.#repairs.add(repair);
    return repair;
  }
}

function isNotDelivered(verdict: Verdict): boolean {
  return verdict !== "deliver";
}
