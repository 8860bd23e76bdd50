import {
  type Logger,
  type Random,
  RdbError,
  type Region,
  type RegionId,
  SeededRandom,
  type StoreId,
  assert,
  compareKeys,
  epochIsStale,
  keyInRange,
  peerId,
  rangesOverlap,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import { type StoreConfig, parseStoreConfig } from "../../config.ts";
import type { RegionStatus } from "../../store/store-handle.ts";
import {
  bytes,
  casCommand,
  deleteCommand,
  getCommand,
  putCommand,
  scanCommand,
  text,
} from "./kv-requests.ts";
import type { KvCommand } from "./kv-requests.ts";
import { type CallOptions, type Outcome, SimClient } from "./sim-client.ts";
import type { ProcessClockOptions } from "./process-clock.ts";
import { SimClock } from "./sim-clock.ts";
import { SimNetwork } from "./sim-network.ts";
import { SimStore } from "./sim-store.ts";
import { TermWatch } from "./term-watch.ts";
import { TraceLogger } from "./trace-logger.ts";

export interface SimClusterOptions {
  /** The same seed, the same run. */
  readonly seed: number;
  /** Default 3. */
  readonly storeCount?: number;
  /** Fields of a Store's configuration that differ from the defaults. */
  readonly config?: Record<string, unknown>;
  /** Keys at which the key space is cut into Regions. Default: none, one Region over everything. */
  readonly splitKeys?: readonly string[];
  /** How each Store's clock runs, by its place from 0. Default: as virtual time. */
  readonly clocks?: (place: number) => ProcessClockOptions;
  /** Whether the Stores are told of the Regions at once. Default true. */
  readonly bootstrap?: boolean;
}

/** Longest time that anything a test waits for may take, in virtual ms. */
const PATIENCE_MS = 30_000;
const CLUSTER_ID = 7;
const PD_CALL_MS = 1;
/** What is allocated lies above the ids of the Regions that the cluster begins with. */
const FIRST_ID = 1_000_000;

/**
 * Stores of one cluster in one process, on virtual time, with disks and a network that fail as told. The Stores are the
 * production class; only their ports differ.
 */
export class SimCluster {
  readonly clock = new SimClock();
  readonly random: Random;
  readonly network: SimNetwork;
  readonly stores: readonly SimStore[];
  readonly config: StoreConfig;
  readonly client: SimClient;
  /** What the Stores logged last. */
  readonly trace: TraceLogger;
  /** Whether ids are given; PD may be away. */
  pdIsAway = false;
  /** Regions as PD knows them, when a peer asks. */
  readonly pdRegions = new Map<RegionId, Region>();
  readonly #regions = new Map<RegionId, Region>();
  #clientCount = 0;
  #lastId = FIRST_ID;

  private constructor(options: SimClusterOptions) {
    this.random = new SeededRandom(options.seed);
    this.network = new SimNetwork(this.clock, this.#fork());
    this.config = parseStoreConfig({ dataDir: "memory", ...options.config });
    this.trace = new TraceLogger(this.clock);
    const storeIds = Array.from({ length: options.storeCount ?? 3 }, (_, place) => storeId(place + 1));
    this.stores = storeIds.map((id) => this.#makeStore(id, storeIds));
    this.stores.forEach((store, place) => {
      store.clockOptions = options.clocks?.(place) ?? {};
    });
    for (const region of regionsBetween(options.splitKeys ?? [], storeIds)) {
      this.#regions.set(region.id, region);
    }
    this.client = this.newClient();
    const terms = new TermWatch();
    this.network.onSend = (message) => terms.look(message);
  }

  /** Starts the Stores and makes the Regions on them. */
  static async start(options: SimClusterOptions): Promise<SimCluster> {
    const cluster = new SimCluster(options);
    await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
    if (options.bootstrap ?? true) {
      await cluster.bootstrap();
    }
    return cluster;
  }

  /** As PD does: tells each Store which Regions it has a peer of. */
  async bootstrap(): Promise<void> {
    const created = this.regions.flatMap((region) =>
      region.peers.map((peer) => this.storeOf(peer.storeId).store.createPeer(region)),
    );
    for (const outcome of await this.complete(Promise.all(created))) {
      assert(outcome === "created" || outcome === "exists", `a peer can be created: ${outcome}`);
    }
  }

  /** The Stores' ids. */
  get storeIds(): StoreId[] {
    return this.stores.map((store) => store.storeId);
  }

  /** The newest that was seen of each Region, in the order of their keys. */
  get regions(): readonly Region[] {
    this.#look();
    return [...this.#regions.values()].toSorted((a, b) => compareKeys(a.startKey, b.startKey));
  }

  /** The first Region: the only one unless there are split keys. */
  get region(): Region {
    return this.regions[0] as Region;
  }

  storeOf(id: StoreId | number): SimStore {
    const store = this.stores.find((candidate) => candidate.storeId === id);
    assert(store !== undefined, `the cluster has a Store ${id}`);
    return store;
  }

  /** Everybody but these. */
  others(...ids: readonly StoreId[]): SimStore[] {
    return this.stores.filter((store) => !ids.includes(store.storeId));
  }

  /** How the peer of a Region on a Store stands. */
  statusOf(store: SimStore, region: RegionId = this.region.id): RegionStatus {
    const status = store.store.regionStatus(region);
    assert(status !== undefined, `Store ${store.storeId} has a peer of Region ${region}`);
    return status;
  }

  /** Cuts a Store off from all others. */
  isolate(store: SimStore): void {
    const others = this.others(store.storeId).map((other) => other.storeId);
    this.network.partition([store.storeId], others);
  }

  newClient(): SimClient {
    return this.#newClient({});
  }

  /** A client that sends its writes again, under their identity, until they are answered. */
  newPersistentClient(): SimClient {
    return this.#newClient({ clientId: ++this.#clientCount });
  }

  #newClient(identity: { readonly clientId?: number }): SimClient {
    return new SimClient({
      ...identity,
      clock: this.clock,
      random: this.#fork(),
      stores: this.stores,
      regionOf: (key) => this.#regionOf(key),
    });
  }

  /** Lets time pass until the promise is settled. */
  complete<T>(promise: Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
    return this.clock.complete(promise, timeoutMs);
  }

  run(durationMs: number): Promise<void> {
    return this.clock.run(durationMs);
  }

  /** Lets time pass until the condition holds. @returns how long it took, in ms */
  async until(what: string, condition: () => boolean, timeoutMs = PATIENCE_MS): Promise<number> {
    const startMs = this.clock.monotonicMs();
    if (!(await this.clock.runUntil(condition, timeoutMs))) {
      throw new Error(`not within ${timeoutMs} ms: ${what}\n${this.trace.tail()}`);
    }
    return this.clock.monotonicMs() - startMs;
  }

  /** The running Store that leads the Region, in the highest term if several believe so. */
  leader(region: RegionId = this.region.id): SimStore | undefined {
    let leader: { readonly store: SimStore; readonly term: number } | undefined;
    for (const store of this.stores.filter((candidate) => candidate.isRunning)) {
      const status = store.store.regionStatus(region);
      if (status?.isLeader === true && status.term > (leader?.term ?? 0)) {
        leader = { store, term: status.term };
      }
    }
    return leader?.store;
  }

  /** Lets time pass until a Store leads that `accept` likes and that has applied an entry of its term. */
  async waitForLeader(
    accept: (store: SimStore) => boolean = () => true,
    region: RegionId = this.region.id,
  ): Promise<SimStore> {
    const leads = (): SimStore | undefined => {
      const store = this.leader(region);
      return store !== undefined && accept(store) ? store : undefined;
    };
    await this.until(`Region ${region} has a leader`, () => leads() !== undefined);
    return leads() as SimStore;
  }

  call(command: KvCommand, options: CallOptions = {}): Promise<Outcome> {
    return this.complete(this.client.call(command, options), (options.timeoutMs ?? 0) + PATIENCE_MS);
  }

  /** Writes, and throws unless that is acknowledged. @returns the version */
  async put(key: string, value: string, options: CallOptions = {}): Promise<number> {
    const result = this.#ok(await this.call(putCommand(key, value), options), "put");
    return Number(result.value.version);
  }

  /** @returns undefined when there is no such key */
  async get(key: string, options: CallOptions = {}): Promise<string | undefined> {
    const result = this.#ok(await this.call(getCommand(key), options), "get");
    return result.value.found ? text(result.value.value) : undefined;
  }

  async delete(key: string): Promise<boolean> {
    return this.#ok(await this.call(deleteCommand(key)), "delete").value.deleted;
  }

  /** Rows of [start, end) of one Region, as `key=value`. */
  async scan(start = "", end = "", options: CallOptions = {}): Promise<string[]> {
    const result = this.#ok(await this.call(scanCommand(start, end), options), "scan");
    return result.value.rows.map((row) => `${text(row.key)}=${text(row.value)}`);
  }

  /** `expected` undefined: the key must be absent. @returns whether it was swapped */
  async cas(key: string, expected: string | undefined, value: string): Promise<boolean> {
    return this.#ok(await this.call(casCommand(key, expected, value)), "compareAndSwap").value.succeeded;
  }

  /** The next draws of a seed that follows from the cluster's. */
  #fork(): Random {
    return new SeededRandom(this.random.nextInt(2 ** 31));
  }

  #ok<Case extends Extract<Outcome, { kind: "ok" }>["result"]["case"]>(
    outcome: Outcome,
    kind: Case,
  ): Extract<Extract<Outcome, { kind: "ok" }>["result"], { case: Case }> {
    if (outcome.kind !== "ok" || outcome.result.case !== kind) {
      const why = outcome.kind === "ok" ? outcome.result.case : (outcome.error?.message ?? "no answer");
      throw new Error(`${kind} is ${outcome.kind}: ${why}\n${this.trace.tail()}`);
    }
    return outcome.result as Extract<Extract<Outcome, { kind: "ok" }>["result"], { case: Case }>;
  }

  #makeStore(id: StoreId, storeIds: readonly StoreId[]): SimStore {
    const logger: Logger = this.trace.child({ store: id });
    const ident = { kind: "Store", clusterId: CLUSTER_ID, storeId: id } as const;
    const { clock, network, config } = this;
    const allocateIds = (count: number): Promise<number> => this.#allocateIds(count);
    const findRegion = (region: RegionId): Promise<Region | undefined> => this.#findRegion(region);
    const regionOfKey = (key: Uint8Array): Promise<Region> => this.#findRegionOfKey(key);
    const random = this.#fork();
    return new SimStore({
      ...{ ident, config, clock, network, random, logger, storeIds },
      ...{ allocateIds, findRegion, regionOfKey },
    });
  }

  async #findRegion(region: RegionId): Promise<Region | undefined> {
    await this.#callPd();
    return this.pdRegions.get(region);
  }

  async #findRegionOfKey(key: Uint8Array): Promise<Region> {
    await this.#callPd();
    return this.#regionOf(key);
  }

  async #callPd(): Promise<void> {
    await new Promise<void>((resolve) => this.clock.setTimer(PD_CALL_MS, resolve));
    if (this.pdIsAway) {
      throw new RdbError("RDB_PD_UNAVAILABLE", "the placement driver is away");
    }
  }

  /** As PD: takes a moment, and never gives an id twice. */
  async #allocateIds(count: number): Promise<number> {
    await this.#callPd();
    const first = this.#lastId + 1;
    this.#lastId += count;
    return first;
  }

  /** As PD: where a key lies, by the newest that any Store tells. */
  #regionOf(key: Uint8Array): Region {
    const region = this.regions.find((candidate) => keyInRange(key, candidate));
    assert(region !== undefined, "the Regions cover every key");
    return region;
  }

  /** What the running Stores tell of Regions: of each its newest range. */
  #look(): void {
    for (const store of this.stores.filter((candidate) => candidate.isRunning)) {
      for (const { region } of store.store.regionStatuses()) {
        const known = this.#regions.get(region.id);
        if (known === undefined || epochIsStale(known.epoch, region.epoch)) {
          this.#regions.set(region.id, region);
        }
      }
    }
    this.#forgetMerged();
  }

  /** A Region of which another has keys at a greater version is no more, or is told of by a Store that is behind. */
  #forgetMerged(): void {
    const all = [...this.#regions.values()];
    for (const region of all) {
      const isOver = (other: Region): boolean =>
        other.id !== region.id && other.epoch.version > region.epoch.version && rangesOverlap(other, region);
      if (all.some(isOver)) {
        this.#regions.delete(region.id);
      }
    }
  }
}

/** Regions that cover the key space, each with a voter on every Store; the first peer of each list rotates. */
function regionsBetween(splitKeys: readonly string[], storeIds: readonly StoreId[]): Region[] {
  const edges = ["", ...splitKeys, ""].map(bytes);
  return edges.slice(0, -1).map((startKey, place) => {
    const id = place + 1;
    const rotated = [
      ...storeIds.slice(place % storeIds.length),
      ...storeIds.slice(0, place % storeIds.length),
    ];
    return {
      id: regionId(id),
      startKey,
      endKey: edges[place + 1] as Uint8Array,
      epoch: { confVer: 1, version: 1 },
      peers: rotated.map((on) => ({ id: peerId(id * 100 + on), storeId: on, role: "Voter" as const })),
    };
  });
}
