import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CallOptions } from "@connectrpc/connect";
import { type Random, systemClock, systemRandom } from "@flaredb/rdb-base";
import { type AnswerListener, RdbClient } from "@flaredb/rdb-client";
import { type RegionRoute, StoreState } from "@flaredb/rdb-proto";
import {
  type FaultCounts,
  type FaultsSet,
  type ProcessFaults,
  type SetFaults,
  noFaults,
} from "@flaredb/rdb-sim/process-faults";
import { httpWire } from "@flaredb/rdb-wire";
import { type PdClients, askPd } from "../ask-pd.ts";
import { TestStore } from "../cluster.ts";
import { few, unhealedRegions } from "../elastic/verdict.ts";
import { freePorts } from "../free-ports.ts";
import type { ManagedProcess } from "../managed-process.ts";
import { Network } from "../network.ts";
import { PdMemberProcess } from "../pd-group.ts";
import { waitFor } from "../wait.ts";
import { pick } from "./nemesis.ts";
import { SmallDisk } from "./small-disk.ts";
import { TakenIds } from "./taken-ids.ts";

/** The programs as they are, with a switch for faults between them and their machine. */
const FAULTY_STORE_PROGRAM = programOf("faulty-store");
const FAULTY_PD_PROGRAM = programOf("faulty-pd");

const STORE_DISK_BYTES = 768 * 2 ** 20;
/** Four times what makes a member of PD count its disk as full. */
const PD_DISK_BYTES = 128 * 2 ** 20;
const MEMBER_COUNT = 3;
/** Those that are added meanwhile included. */
const STORE_MAX_COUNT = 9;
const SERVING_TIMEOUT_MS = 180_000;
const HEALED_TIMEOUT_MS = 300_000;

const PRESENT: ReadonlySet<StoreState> = new Set([
  StoreState.UP,
  StoreState.DISCONNECTED,
  StoreState.DOWN,
  StoreState.DRAINING,
]);

export interface ChaosClusterOptions {
  readonly storeCount: number;
  /** Keys at which Regions begin, by comma. */
  readonly initialRegions: string;
  /** Fields of PD's config file. */
  readonly pdConfig: Readonly<Record<string, unknown>>;
  /** Fields of each Store's config file. */
  readonly storeConfig: Readonly<Record<string, unknown>>;
}

/** Three members of PD and some Stores as real processes, each behind a proxy, with their data in a temporary folder. */
export class ChaosCluster {
  readonly folder = mkdtempSync(join(tmpdir(), "flaredb-chaos-"));
  readonly network = new Network();
  readonly members: PdMemberProcess[] = [];
  readonly stores: TestStore[] = [];
  readonly takenIds = new TakenIds();
  /** Of the first Store; undefined where nobody may mount. */
  smallDisk: SmallDisk | undefined;
  /** Of the first member of PD; undefined where nobody may mount. */
  smallPdDisk: SmallDisk | undefined;
  readonly #options: ChaosClusterOptions;
  readonly #ports: number[];
  readonly #clients: RdbClient[] = [];
  readonly #spares: TestStore[] = [];
  readonly #faults = new Map<ManagedProcess, ProcessFaults>();

  /** Starts everything, and waits until every Region has a leader. */
  static async start(options: ChaosClusterOptions): Promise<ChaosCluster> {
    const cluster = new ChaosCluster(options, await freePorts(3 * (MEMBER_COUNT + STORE_MAX_COUNT)));
    try {
      await cluster.#layOutMembers();
      const stores = await Promise.all(
        Array.from({ length: options.storeCount }, () => cluster.layOutStore()),
      );
      await Promise.all([...cluster.members, ...stores].map((process) => process.launch()));
      await cluster.waitUntilServing();
      return cluster;
    } catch (error) {
      await cluster.dispose({ keepsFolder: false });
      throw error;
    }
  }

  private constructor(options: ChaosClusterOptions, ports: number[]) {
    this.#options = options;
    this.#ports = ports;
    // One that is frozen would not notice that its parent is gone.
    process.once("exit", () => {
      for (const process of this.processes) {
        void process.kill();
      }
    });
  }

  get processes(): readonly (PdMemberProcess | TestStore)[] {
    return [...this.members, ...this.stores];
  }

  get pdAddresses(): string[] {
    return this.members.map(({ address }) => address);
  }

  /** Stores that run. */
  get runningStores(): readonly TestStore[] {
    return this.stores.filter((store) => store.isRunning);
  }

  /** Asks whoever leads PD's group. */
  ask<Answer>(call: (clients: PdClients, options: CallOptions) => Promise<Answer>): Promise<Answer> {
    return askPd(this.pdAddresses, call);
  }

  /** A client of its own; closed with the cluster. */
  async connect(deadlineMs: number, onAnswer?: AnswerListener): Promise<RdbClient> {
    const ports = { clock: systemClock, random: systemRandom, wire: httpWire(), onAnswer };
    const client = await RdbClient.connectOver({ pd: this.pdAddresses, deadlineMs }, ports);
    this.#clients.push(client);
    return client;
  }

  /** All Regions in the order of their keys, as PD knows them. */
  async regions(): Promise<RegionRoute[]> {
    const regions: RegionRoute[] = [];
    let startKey: Uint8Array = new Uint8Array();
    do {
      const page = await this.ask(({ pd }, options) => pd.listRegions({ startKey }, options));
      regions.push(...page.routes);
      startKey = page.nextKey;
    } while (startKey.length > 0);
    return regions;
  }

  /** Has a Region begin at `key`. Asks again while the Region that is to be cut is busy with something else. */
  async splitAt(key: string): Promise<void> {
    const bytes = new TextEncoder().encode(key);
    await this.ask(async ({ pd, admin }, options) => {
      const { route } = await pd.getRegion({ key: bytes }, options);
      const regionId = route?.region?.id ?? 0n;
      return admin.splitRegionAt({ regionId, keys: [bytes] }, options);
    });
  }

  /** The Store that leads a Region that `random` chooses, as PD knows it; waits until there is one that runs. */
  leaderOfSome(random: Random): Promise<TestStore> {
    return waitFor("a Region with a leader that runs", SERVING_TIMEOUT_MS, async () => {
      const { leader } = pick(await this.regions(), random);
      const stores = await this.#storesById();
      const store = leader === undefined ? undefined : stores.get(leader.storeId);
      return store?.isRunning === true && store;
    });
  }

  /** The id that PD gave a Store. */
  idOf(store: TestStore): Promise<bigint> {
    return waitFor(`the id of ${store.plan.name}`, SERVING_TIMEOUT_MS, async () => {
      return [...(await this.#storesById())].find(([, other]) => other === store)?.[0];
    });
  }

  /** The member of PD that leads. */
  async pdLeader(): Promise<PdMemberProcess> {
    const { members, leaderMemberId } = await this.ask(({ pd }, options) => pd.getClusterInfo({}, options));
    const address = members.find(({ id }) => id === leaderMemberId)?.address;
    const leader = this.members.find((member) => member.address === address);
    if (leader === undefined) {
      throw new Error(`no member of the run answers at ${address}`);
    }
    return leader;
  }

  /** Has that member of PD lead. Asks again while it does not: it may lack a part of the log, or an election is on. */
  async makePdLeader(member: PdMemberProcess): Promise<void> {
    await waitFor(`${member.plan.name} to lead PD`, SERVING_TIMEOUT_MS, async () => {
      const { members, leaderMemberId } = await this.ask(({ pd }, options) => pd.getClusterInfo({}, options));
      const toMemberId = members.find(({ address }) => address === member.address)?.id ?? 0n;
      if (toMemberId === leaderMemberId) {
        return true;
      }
      await this.ask(({ admin }, options) => admin.transferPdLeader({ toMemberId }, options));
      return undefined;
    });
  }

  /** Waits until every Region has a leader. */
  async waitUntilServing(): Promise<void> {
    await waitFor("a cluster with a leader for every Region", SERVING_TIMEOUT_MS, async () => {
      const info = await this.ask(({ pd }, options) => pd.getClusterInfo({}, options));
      return info.bootstrapped && info.regionCount > 0 && info.regionWithLeaderCount === info.regionCount;
    });
  }

  /** Waits until every Region has three live peers, none of them behind or damaged. */
  async waitUntilHealed(): Promise<void> {
    await waitFor("three live peers of every Region", HEALED_TIMEOUT_MS, async () => {
      const { statuses } = await this.ask(({ pd }, options) => pd.listStores({}, options));
      const unhealed = unhealedRegions({ regions: await this.regions(), stores: statuses, operatorCount: 0 });
      if (unhealed.length > 0) {
        throw new Error(few(unhealed));
      }
      return true;
    });
  }

  /**
   * Breaks a process from within, or takes that away again; what is not named stays as it is. It lasts beyond a restart.
   *
   * @returns what the faults that were on in it came to; undefined when it does not run
   */
  async breakWithin(
    process: ManagedProcess,
    faults: Partial<ProcessFaults>,
  ): Promise<FaultCounts | undefined> {
    const all = { ...noFaults, ...this.#faults.get(process), ...faults };
    this.#faults.set(process, all);
    const answer = await process.tell({ type: "faults", faults: all } satisfies SetFaults);
    return isFaultsSet(answer) ? answer.counts : undefined;
  }

  /** A Store that does not run and has no data: one that was taken away, or a further one. */
  async spareStore(): Promise<TestStore> {
    return this.#spares.pop() ?? (await this.layOutStore());
  }

  /** Ends a Store that holds nothing any more; `spareStore` may give it back under another id. */
  async takeAway(store: TestStore): Promise<void> {
    await this.wipe(store);
    this.#spares.push(store);
  }

  /** Ends a Store and removes all its data, as when its disk is replaced. */
  async wipe(store: TestStore): Promise<void> {
    await store.kill();
    this.emptyFolderOf(store);
  }

  /** Removes all data of a Store that does not run. */
  emptyFolderOf(store: TestStore): void {
    // Not the folder itself: it may be a mount of its own.
    for (const name of readdirSync(this.dataFolderOf(store))) {
      rmSync(join(this.dataFolderOf(store), name), { recursive: true, force: true });
    }
  }

  /** Makes a further Store with its proxy; does not start it. */
  async layOutStore(): Promise<TestStore> {
    const place = this.stores.length;
    const ports = { rpc: this.#takePort(), http: this.#takePort(), proxy: this.#takePort() };
    const pd = this.pdAddresses.join(",");
    const { storeConfig } = this.#options;
    const options = { storeConfig, network: true, storeProgram: FAULTY_STORE_PROGRAM };
    const store = new TestStore(place, this.folder, ports, pd, options);
    this.stores.push(store);
    if (place === 0) {
      this.smallDisk = SmallDisk.mount(this.dataFolderOf(store), STORE_DISK_BYTES);
    }
    await this.network.front(place, ports.rpc, ports.proxy);
    return store;
  }

  /** The folder of a Store's data. */
  dataFolderOf(store: TestStore): string {
    return join(this.folder, store.plan.name);
  }

  /** Ends that no nemesis asked for. */
  unexpectedEnds(): string[] {
    return this.processes.flatMap((process) => process.unexpectedEnds);
  }

  /** Ends everything at once. @param keepsFolder leaves data and logs where they are */
  async dispose({ keepsFolder }: { readonly keepsFolder: boolean }): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await Promise.all(this.processes.map((process) => process.kill()));
    await this.network.close();
    if (!keepsFolder) {
      this.smallDisk?.unmount();
      this.smallPdDisk?.unmount();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** Without those that are gone for good: a Store whose disk was replaced has the address of the one that it was. */
  async #storesById(): Promise<ReadonlyMap<bigint, TestStore>> {
    const { statuses } = await this.ask(({ pd }, options) => pd.listStores({}, options));
    return new Map(
      statuses.flatMap(({ store }) => {
        const process = this.stores.find(({ address }) => address === store?.address);
        const isThere = store !== undefined && process !== undefined && PRESENT.has(store.state);
        return isThere ? [[store.id, process] as const] : [];
      }),
    );
  }

  async #layOutMembers(): Promise<void> {
    const group = Array.from({ length: MEMBER_COUNT }, (_, at) => {
      const ports = { rpc: this.#takePort(), http: this.#takePort(), proxy: this.#takePort() };
      return { name: `pd-${at + 1}` as const, ...ports };
    });
    const initialCluster = group.map(({ name, proxy }) => `${name}=127.0.0.1:${proxy}`).join(",");
    const configFile = join(this.folder, "pd.json");
    writeFileSync(configFile, JSON.stringify(this.#options.pdConfig));
    for (const { name, rpc, http, proxy } of group) {
      await this.network.front(name, rpc, proxy);
      const args = [
        ...["--config", configFile, "--name", name, "--initial-cluster", initialCluster],
        ...["--port", String(rpc), "--http-port", String(http), "--data-dir", join(this.folder, name)],
        ...["--initial-regions", this.#options.initialRegions],
        ...["--bootstrap-stores", String(this.#options.storeCount)],
      ];
      const plan = { folder: this.folder, args, program: FAULTY_PD_PROGRAM };
      this.members.push(new PdMemberProcess(name, `127.0.0.1:${proxy}`, plan));
    }
    this.smallPdDisk = SmallDisk.mount(join(this.folder, "pd-1"), PD_DISK_BYTES);
  }

  #takePort(): number {
    const port = this.#ports.pop();
    if (port === undefined) {
      throw new Error(`a cluster under chaos has at most ${STORE_MAX_COUNT} Stores`);
    }
    return port;
  }
}

function programOf(name: string): string {
  return fileURLToPath(new URL(`../../packages/rdb-sim/bin/${name}.mjs`, import.meta.url));
}

function isFaultsSet(answer: object | undefined): answer is FaultsSet {
  return answer !== undefined && "type" in answer && answer.type === "faults set";
}
