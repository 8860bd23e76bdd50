import { type RegionId, SeededRandom } from "@flaredb/rdb-base";
import type { RunningStore } from "@flaredb/rdb-server";
import { ClusterInvariants } from "../check/cluster-invariants.ts";
import type { Call } from "../check/history.ts";
import { newestRegions } from "../cluster/region-view.ts";
import { type Member, SimCluster } from "../cluster/sim-cluster.ts";
import type { EndKind } from "../cluster/sim-process.ts";
import type { Limits } from "../faults/cluster-shape.ts";
import type { ActiveNetworkFault } from "../faults/network-faults.ts";
import { streamOf } from "../faults/plan.ts";
import type { LinkState } from "../wire/link.ts";
import { ScenarioCalls } from "./scenario-calls.ts";
import type { ScenarioClient } from "./scenario-client.ts";
import { PATIENCE_MS, PAUSE_MAX_MS, type ScenarioOptions, shapeOf } from "./scenario-options.ts";
import { ScenarioWatch } from "./scenario-watch.ts";

export type StoreMember = Member<RunningStore>;
type Stoppable = Pick<StoreMember["process"], "hold" | "stop" | "end">;
export type RegionStatus = NonNullable<ReturnType<RunningStore["store"]["regionStatus"]>>;

/** Added to every seed, so that the same scenarios can be played in other ways. */
const SEED_OFFSET = Number(process.env["FLAREDB_SCENARIO_SEED"] ?? 0);
const SNAPSHOT_PATH = "/rdb.v1.RaftService/Snapshot";
/** The longest election timeout of the default configuration, in ms. */
export const ELECTION_MS = 2_000;

/** A whole cluster, on which a scenario of SCENARIOS.md is played. */
export class Scenario {
  readonly cluster: SimCluster;
  readonly watch: ScenarioWatch;
  readonly invariants = new ClusterInvariants((violation) => this.watch.violated(violation));
  /** What clients do, and what they are told. */
  readonly calls: ScenarioCalls;
  readonly clients: readonly ScenarioClient[];
  readonly limits: Limits;
  /** Peers that each Region has in the end; undefined: as many as it happens to have. */
  readonly voterCount: number | undefined;
  readonly random: SeededRandom;
  readonly #repairs = new Set<() => void>();

  private constructor(options: ScenarioOptions) {
    const seed = options.seed + SEED_OFFSET;
    this.random = new SeededRandom(seed);
    this.watch = new ScenarioWatch(() => this.nowMs);
    this.calls = new ScenarioCalls(() => this.nowMs);
    const shape = shapeOf(options);
    this.limits = shape.limits;
    this.voterCount = shape.elastic?.repairs === true ? shape.replicaCount : undefined;
    this.cluster = new SimCluster({
      shape,
      splitKeys: options.splitKeys ?? [],
      randomOf: (purpose) => streamOf(seed, purpose),
      loggerOf: (process) => this.watch.loggerOf(process),
      watcher: this.watch,
      invariants: this.invariants,
      recorderOf: (process) => this.calls.listenerOf(process),
    });
    this.watch.onProcess = (name, event) => event === "start" && this.calls.clientStarted(name);
    this.calls.watch(this.cluster);
    this.clients = this.cluster.clients.map((member) => this.calls.clientOn(member));
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

  /** The Regions by their keys, as the newest of their peers know them. */
  get regionIds(): readonly RegionId[] {
    return newestRegions(this.stores).map(({ id }) => id);
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
  async until(
    what: string,
    condition: () => boolean,
    timeoutMs = PATIENCE_MS,
    describe = (): string => "",
  ): Promise<number> {
    const startMs = this.nowMs;
    if (!(await this.cluster.clock.runUntil(condition, timeoutMs))) {
      throw new Error(`not within ${timeoutMs} ms: ${what}\n${describe()}\n${this.watch.tail()}`);
    }
    return this.nowMs - startMs;
  }

  /** Lets time pass until the promise is settled. */
  complete<Result>(promise: Promise<Result>): Promise<Result> {
    return this.cluster.clock.complete(promise, 2 * PATIENCE_MS);
  }

  /** Every process serves, and every Region is led. */
  async untilServing(): Promise<void> {
    const { stores, pds, clients } = this.cluster;
    const members = [...stores, ...pds, ...clients];
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

  /** The client loop of SCENARIOS.md begins on every client, or on those at these places. */
  startLoops(
    places: readonly number[] = this.clients.map((_, place) => place),
    pauseMaxMs = PAUSE_MAX_MS,
  ): void {
    const random = new SeededRandom(this.random.nextInt(2 ** 31));
    const members = places.map((place) => this.cluster.clients[place] as SimCluster["clients"][number]);
    this.calls.startLoops(members, { clock: this.cluster.clock, random, pauseMaxMs });
  }

  /** Answered calls of all client loops. */
  get okCount(): number {
    return this.calls.okCount;
  }

  /** What calls of the client loops failed with. */
  get loopFailures(): readonly Call[] {
    return this.calls.loopFailures;
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
  takeDown(members: readonly { readonly process: Stoppable }[], how: EndKind | "stop"): () => void {
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
