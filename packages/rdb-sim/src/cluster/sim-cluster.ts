import {
  type Clock,
  type Logger,
  type Random,
  type RegionId,
  type StoreId,
  clusterVersions,
  hasCode,
  keyInRange,
} from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import type { RunningPd } from "@flaredb/rdb-pd";
import type { RunningStore } from "@flaredb/rdb-server";
import { SimClock } from "@flaredb/rdb-server/testing";
import type { ClusterInvariants } from "../check/cluster-invariants.ts";
import type { ClockShape, ClusterShape } from "../faults/cluster-shape.ts";
import type { AdminAction } from "../faults/elastic-action.ts";
import type { FaultKind } from "../faults/fault.ts";
import type {
  AwaitedMessage,
  FaultyCluster,
  FaultyDisk,
  FaultyProcess,
  RegionAt,
} from "../faults/injector.ts";
import { type ActiveNetworkFault, type Hosts, linkUnder } from "../faults/network-faults.ts";
import { fromConnectError } from "@flaredb/rdb-wire";
import { SimNet } from "../wire/sim-net.ts";
import { SimWire } from "../wire/sim-wire.ts";
import type { CallRecorder } from "../workload/call-recorder.ts";
import { type AdminProgram, adminProgram } from "./admin-program.ts";
import { askAdmin } from "./ask-admin.ts";
import { atMessage, atTransferMessage } from "./awaited-messages.ts";
import { clientProgram } from "./client-program.ts";
import { drivenBy, pdConfig, pdProgram } from "./pd-program.ts";
import { HostPrograms } from "./host-programs.ts";
import { leaderOfKey, newestRegions } from "./region-view.ts";
import { type DiskEvent, SimDisk } from "./sim-disk.ts";
import { type EndKind, type Machine, type ProcessEvent, type Program, SimProcess } from "./sim-process.ts";
import { receiveStale, splitAt, transferTo } from "./store-commands.ts";
import { RPC_PORT, storeConfig, storeProgram } from "./store-program.ts";

/** What becomes known of a cluster while it runs. */
export interface ClusterWatcher {
  processEvent(name: string, event: ProcessEvent): void;
  diskEvent(name: string, event: DiskEvent, writeCount: number, sizeBytes: number, isSynced: boolean): void;
  faultEvent(kind: FaultKind, what: "begins" | "ends", targets: readonly string[]): void;
  /** What an administrator asked for was taken, or refused with a code. */
  adminEvent?(kind: string, outcome: string): void;
  /** A process failed, and no fault explains it. */
  processFailed(name: string, doing: "start" | "run" | "stop", error: unknown): void;
}

export interface SimClusterOptions {
  readonly shape: ClusterShape;
  /** Where the Regions begin, beside the first one. */
  readonly splitKeys: readonly string[];
  /** Chance for one purpose. */
  readonly randomOf: (purpose: string) => Random;
  readonly loggerOf: (process: string, clock: Clock) => Logger;
  readonly watcher: ClusterWatcher;
  /** Watches the databases of the Stores. Default: nobody does. */
  readonly invariants?: ClusterInvariants;
  /** What a client process tells of its answers. */
  readonly recorderOf: (client: string) => Pick<CallRecorder, "onAnswer">;
}

/** A process with its machine. */
export interface Member<Running> extends FaultyProcess {
  readonly process: SimProcess<Running>;
  readonly disk: (FaultyDisk & { readonly content: SimDisk["content"] }) | undefined;
  /** Its disk is replaced by an empty one. It does not run. */
  wipe(): void;
}

const PD_HOST = "pd";
const pdHost = (place: number): string => (place === 0 ? PD_HOST : `${PD_HOST}-${place + 1}`);
const ADMIN_HOST = "admin";
/** A proposal queue so long is never full: what is sent twice at once is taken or refused together. */
const COPIES_MIN_QUEUE_COUNT = 1_000;
/** Then the first spare Store joins. */
const SPARE_JOINS_MS = 2_000;
/** A Store that ended this long ago is long gone: nobody counts on it. */
const LONG_GONE_MS = 15_000;
/** How long the replacement of a program takes in the end. */
const UPGRADE_DOWN_MS = 100;
/** What is asked when all is repaired may take this long. */
const JUDGE_DEADLINE_MS = 8_000;

/**
 * A whole cluster: the production Stores, placement driver and clients, each in a process of its own on a machine of
 * its own, over one network and one clock.
 */
export class SimCluster implements FaultyCluster {
  readonly clock = new SimClock();
  readonly net: SimNet;
  /** Every Store that there is or may be, also those that are lost. */
  readonly allStores: readonly Member<RunningStore>[];
  /** All members of PD. */
  readonly pds: readonly [Member<RunningPd>, ...Member<RunningPd>[]];
  readonly clients: readonly Member<RdbClient>[];
  /** A client that no fault befalls, and that is not started with the others. */
  readonly judge: Member<RdbClient>;
  /** Where people type commands; no fault befalls it. */
  readonly admin: Member<AdminProgram>;
  readonly #spares: Member<RunningStore>[];
  readonly #lost = new Set<Member<RunningStore>>();
  /** Stores that are gone for good, by id. */
  readonly #lostIds = new Set<StoreId>();
  /** Hosts whose Store was to be emptied at some time: then it may be gone for good. */
  readonly #decommissioned = new Set<string>();
  /** Hosts whose disk was replaced. */
  readonly #wiped = new Set<string>();
  /** When each process ended last. */
  readonly #endedMs = new Map<string, number>();
  readonly #options: SimClusterOptions;
  readonly #networkFaults = new Set<ActiveNetworkFault>();
  readonly #programs: HostPrograms;
  /** Every clock that a process runs by, by its place in the shape. */
  #clockCount = 0;

  constructor(options: SimClusterOptions) {
    const { shape, splitKeys, randomOf } = options;
    this.#options = options;
    this.#programs = new HostPrograms(shape.olderPrograms === true);
    this.net = new SimNet({
      ...{ clock: this.clock, random: randomOf("network") },
      // A short queue takes the first of two and refuses the second, which is told to be not applied.
      repeatsAtOnce: shape.limits.proposalQueueMaxCount >= COPIES_MIN_QUEUE_COUNT,
    });
    const pdHosts = Array.from({ length: shape.pdMemberCount ?? 1 }, (_, place) => pdHost(place));
    const pdAddresses = pdHosts.map((host) => `${host}:${RPC_PORT}`);
    const store = (place: number): Member<RunningStore> => {
      const host = `store-${place + 1}`;
      return this.#member(host, true, (disk) => {
        const observer = options.invariants?.store(host);
        const config = storeConfig(host, pdAddresses, shape);
        return storeProgram(config, disk, () => this.#programs.start(host), observer);
      });
    };
    const first = Array.from({ length: shape.storeCount }, (_, place) => store(place));
    const pd = (host: string): Member<RunningPd> =>
      this.#member(host, true, (disk) =>
        pdProgram(pdConfig(host, pdHosts, shape, splitKeys), disk, () => this.#programs.start(host)),
      );
    const firstPd = pd(PD_HOST);
    const client = (name: string, deadlineMs: number): Member<RdbClient> =>
      this.#member(name, false, () =>
        clientProgram(pdAddresses, deadlineMs, options.recorderOf(name).onAnswer),
      );
    this.clients = Array.from({ length: shape.clientCount }, (_, place) =>
      client(`client-${place + 1}`, shape.callTimeoutMs),
    );
    this.judge = client("judge", JUDGE_DEADLINE_MS);
    const spareCount = shape.elastic?.spareStoreCount ?? 0;
    this.#spares = Array.from({ length: spareCount }, (_, place) => store(shape.storeCount + place));
    this.allStores = [...first, ...this.#spares];
    this.admin = this.#member(ADMIN_HOST, false, () => adminProgram(`${PD_HOST}:${RPC_PORT}`));
    // Last, so that the clocks of all others are the same whether or not there are further members.
    this.pds = [firstPd, ...pdHosts.slice(1).map(pd)];
    if (options.invariants !== undefined) {
      options.invariants.wasUp = (name) => this.#wasUp(name);
      options.invariants.knownVersion = () => this.#programs.lowest(this.stores);
    }
    this.#setLinks();
  }

  /** The Stores that take part: those that joined and are not lost. */
  get stores(): readonly Member<RunningStore>[] {
    return this.allStores.filter((store) => !this.#lost.has(store) && !this.#spares.includes(store));
  }

  /** The member of PD that leads; while none does, the first. */
  get pd(): Member<RunningPd> {
    return this.pds.find(({ process }) => drivenBy(process.running) !== undefined) ?? this.pds[0];
  }

  /** Every process begins to start. */
  start(): void {
    for (const { process } of [...this.pds, ...this.stores, ...this.clients]) {
      process.start();
    }
    if (this.#options.shape.elastic !== undefined) {
      this.admin.process.start();
    }
    if (this.#spares.length > 0) {
      this.setTimer(SPARE_JOINS_MS, () => this.joinSpare());
    }
  }

  /** The next spare Store joins, if there is one. */
  joinSpare(): Member<RunningStore> | undefined {
    const spare = this.#spares.shift();
    spare?.process.start();
    return spare;
  }

  /** Whether every process serves. */
  get isWell(): boolean {
    return [...this.stores, ...this.pds, ...this.clients, this.judge].every(({ process }) => process.isWell);
  }

  setTimer(delayMs: number, callback: () => void): void {
    this.clock.setTimer(delayMs, callback);
  }

  leaderOf(region: RegionAt): Member<RunningStore> | undefined {
    return leaderOfKey(this.stores, this.#keyOf(region))?.member;
  }

  hasPeer(region: RegionAt, store: FaultyProcess): boolean {
    const member = this.stores.find((candidate) => candidate === store);
    return member !== undefined && this.#regionAt(member, region) !== undefined;
  }

  atTransferMessage(store: FaultyProcess, messageCount: number, callback: () => void): () => void {
    return atTransferMessage(this.net, store.name, messageCount, callback);
  }

  atMessage(
    what: AwaitedMessage,
    isWanted: (to: FaultyProcess) => boolean,
    callback: (to: FaultyProcess) => void,
  ): () => void {
    const storeOf = (host: string): FaultyProcess | undefined =>
      this.stores.find((store) => store.name === host && isWanted(store));
    return atMessage(this.net, what, storeOf, callback);
  }

  isWaiting(region: RegionAt): boolean {
    return leaderOfKey(this.stores, this.#keyOf(region))?.status.isMerging === true;
  }

  split(at: string): void {
    const key = Buffer.from(at);
    const leader = leaderOfKey(this.stores, key);
    leader?.member.process.call(({ store }) => splitAt(store, leader.status.region, key));
  }

  transfer(region: RegionAt, to: FaultyProcess): void {
    const leader = this.leaderOf(region);
    const target = this.stores.find((member) => member === to)?.process.running?.ident.storeId;
    if (target !== undefined) {
      leader?.process.call(({ store }) => transferTo(store, this.#regionAt(leader, region), target));
    }
  }

  proposeStale(region: number, from: FaultyProcess): void {
    const leader = this.leaderOf(region);
    const sender = this.stores.find((member) => member === from)?.process.running?.ident.storeId;
    if (sender !== undefined) {
      leader?.process.call(({ store }) => receiveStale(store, this.#regionAt(leader, region), sender));
    }
  }

  addNetworkFault(fault: ActiveNetworkFault): () => void {
    this.#networkFaults.add(fault);
    this.#setLinks();
    return () => {
      this.#networkFaults.delete(fault);
      this.#setLinks();
    };
  }

  resetConnections(a: string, b: string): void {
    this.net.resetConnections(a, b);
  }

  noteFault(kind: FaultKind, what: "begins" | "ends", targets: readonly string[]): void {
    this.#options.watcher.faultEvent(kind, what, targets);
  }

  ask(action: AdminAction): void {
    const regions = drivenBy(this.pd.process.running)?.cluster.durable.regions.all() ?? [];
    const view = { regions: [...regions], storeIds: this.#storeIds() };
    this.#call(action.kind, ({ client }) => askAdmin(client, action, view));
  }

  decommission(place: number): () => void {
    const ids = this.#storeIds();
    const storeId = ids[place % Math.max(1, ids.length)];
    if (storeId === undefined) {
      return () => {};
    }
    const request = { storeId: BigInt(storeId) };
    const name = this.stores.find(({ process }) => process.running?.ident.storeId === storeId)?.name;
    this.#decommissioned.add(name ?? "");
    this.#call("decommission", ({ client }) => client.decommissionStore(request));
    return () => this.#call("cancel-decommission", ({ client }) => client.cancelDecommission(request));
  }

  loseStore(place: number, successor: "same-address" | "spare"): () => void {
    const { stores } = this;
    const store = stores[place % stores.length] as Member<RunningStore>;
    const id = store.process.running?.ident.storeId;
    if (id === undefined || !this.#canLose(id)) {
      return () => {};
    }
    const release = store.process.hold();
    store.end("power-off");
    this.#lost.add(store);
    this.#lostIds.add(id);
    return () => {
      if (successor === "spare" && this.#spares.length > 0) {
        this.joinSpare();
        return;
      }
      store.wipe();
      this.#lost.delete(store);
      release();
    };
  }

  /**
   * Whether every Region has a majority without it, in both halves of its configuration, also when a learner takes a
   * voter's place at this moment: no more of its peers are gone than it could bear as voters.
   */
  #canLose(id: StoreId): boolean {
    const isGone = (storeId: StoreId): boolean => storeId === id || this.#lostIds.has(storeId);
    const regions = [...(this.#options.invariants?.regions ?? []), ...newestRegions(this.stores)];
    return regions.every(({ peers }) => {
      const halves = [
        peers.filter(({ role }) => role === "Voter" || role === "IncomingVoter"),
        peers.filter(({ role }) => role === "Voter" || role === "DemotingVoter"),
      ];
      const goneCount = peers.filter(({ storeId }) => isGone(storeId)).length;
      return halves.every(
        (half) =>
          half.length >= 3 &&
          2 * goneCount < half.length &&
          2 * half.filter(({ storeId }) => !isGone(storeId)).length > half.length,
      );
    });
  }

  changeProgram(place: number, clusterVersion: number): () => void {
    const all = [...this.allStores.slice(0, this.#options.shape.storeCount), ...this.pds];
    const changed = all[place % all.length] as FaultyProcess;
    const others = [...this.stores, ...this.pds].filter((other) => other !== changed);
    // Who goes back must not be the last that was waited for; where Stores come and go, nobody knows.
    const mayGoBack =
      this.#options.shape.elastic === undefined && this.#programs.lowest(others) === clusterVersions.oldest;
    const isPd = this.pds.some((pd) => pd === changed);
    // Nor may the last be replaced while one that went back is down: PD counts on what it ran before.
    const mayGoOn = (!isPd || this.#areAllKnown) && !this.#programs.isOlderToCome(others);
    const isTooEarly = clusterVersion < this.#programs.knownBy(changed.name) ? !mayGoBack : !mayGoOn;
    return isTooEarly ? () => {} : this.#programs.change(changed, clusterVersion);
  }

  /** A Store that PD does not know yet it does not wait for. */
  get #areAllKnown(): boolean {
    const { storeCount } = this.#options.shape;
    return (drivenBy(this.pd.process.running)?.cluster.durable.stores.size ?? 0) >= storeCount;
  }

  /** Everybody goes on with the newest program; a Store that has not joined yet does so with it. */
  upgradeAll(): void {
    this.#spares.forEach(({ name }) => this.#programs.replace(name, clusterVersions.newest));
    for (const process of [...this.stores, ...this.pds]) {
      if (this.#programs.knownBy(process.name) < clusterVersions.newest) {
        this.setTimer(UPGRADE_DOWN_MS, this.#programs.change(process, clusterVersions.newest));
      }
    }
  }

  /** Whether PD has raised the cluster version to the newest. */
  get isUpgraded(): boolean {
    return this.#clusterVersion === clusterVersions.newest;
  }

  /** Why the cluster version is higher than it may be. */
  get versionProblem(): string | undefined {
    const version = this.#clusterVersion;
    const known = this.#programs.lowest([...this.stores, ...this.pds]);
    return version > known
      ? `the cluster has version ${version}, some program knows up to ${known}`
      : undefined;
  }

  /** As the member of PD that leads has it. */
  get #clusterVersion(): number {
    const driver = drivenBy(this.pd.process.running);
    return driver?.cluster.durable.clusterVersion ?? clusterVersions.oldest;
  }

  #storeIds(): StoreId[] {
    return this.stores.flatMap(({ process }) => process.running?.ident.storeId ?? []).sort((a, b) => a - b);
  }

  #call(what: string, call: (admin: AdminProgram) => Promise<unknown> | undefined): void {
    const tell = (outcome: string): void => this.#options.watcher.adminEvent?.(what, outcome);
    this.admin.process.call((admin) => {
      call(admin)?.then(
        () => tell("taken"),
        (error: unknown) => tell(codeOf(error)),
      );
    });
  }

  #isDecommissioned(name: string): boolean {
    return this.#decommissioned.has(name);
  }

  #wasUp(name: string): boolean {
    const store = this.allStores.find((member) => member.name === name);
    const endedMs = this.#endedMs.get(name);
    return (
      store?.process.isRunning === true ||
      (endedMs !== undefined && this.clock.monotonicMs() - endedMs < LONG_GONE_MS)
    );
  }

  /** Of a place in the key space: where its Region began when the run did. */
  #keyOf(region: RegionAt): Uint8Array {
    const isKey = typeof region === "string";
    return Buffer.from(isKey ? region : (this.#options.splitKeys[region - 1] ?? ""));
  }

  /** The Region that has that key, as the Store knows it. */
  #regionAt(member: Member<RunningStore>, region: RegionAt): RegionId | undefined {
    const key = this.#keyOf(region);
    const statuses = member.process.running?.store.regionStatuses() ?? [];
    return statuses.find((status) => keyInRange(key, status.region))?.region.id;
  }

  #setLinks(): void {
    const { latencyMs } = this.#options.shape;
    const stores = this.allStores.map(({ name }) => name);
    const others = [...this.clients, this.judge, this.admin].map(({ name }) => name);
    const pds = this.pds.map(({ name }) => name);
    const hosts: Hosts = { stores, all: [...stores, ...pds, ...others] };
    for (const from of hosts.all) {
      for (const to of hosts.all) {
        if (from !== to) {
          this.net.setLink(from, to, linkUnder(this.#networkFaults, { from, to }, hosts, latencyMs));
        }
      }
    }
  }

  #member<Running>(
    name: string,
    hasDisk: boolean,
    programOn: (disk: SimDisk) => Program<Running>,
  ): Member<Running> {
    const { randomOf, loggerOf, watcher, shape } = this.#options;
    const disk = new SimDisk({
      clock: this.clock,
      random: randomOf(`disk of ${name}`),
      syncMs: shape.syncMs,
      onEvent: (event, writeCount, sizeBytes, isSynced) =>
        watcher.diskEvent(name, event, writeCount, sizeBytes, isSynced),
    });
    const machine: Machine = {
      name,
      clockShape: this.#nextClock(),
      randomOf: (bootCount) => randomOf(`start ${bootCount} of ${name}`),
      loggerOf: (clock) => loggerOf(name, clock),
      attach: (clock) => {
        const wire = new SimWire({ net: this.net, host: name, process: clock });
        const ended = (kind: EndKind | "exit"): void => {
          wire.stop(kind === "power-off" ? "silent" : "reset");
          if (kind === "power-off") {
            this.net.powerOff(name);
          }
          disk.crash();
        };
        return { wire, ended };
      },
    };
    const process = new SimProcess(this.clock, machine, programOn(disk), {
      event: (_, event) => {
        if (event === "kill" || event === "power-off" || event === "exit") {
          this.#endedMs.set(name, this.clock.monotonicMs());
        }
        watcher.processEvent(name, event);
      },
      failed: (_, doing, error) => {
        if (hasCode(error, "RDB_STORE_DECOMMISSIONED") && this.#isDecommissioned(name)) {
          // As it says: with an empty data folder it gets a new id.
          const release = process.hold();
          this.setTimer(0, () => {
            this.allStores.find((store) => store.name === name)?.wipe();
            release();
          });
          return;
        }
        if (hasCode(error, "RDB_ALREADY_EXISTS") && this.#wiped.has(name)) {
          // The Store before it at this address is not silent for long enough yet; it starts again.
          return;
        }
        watcher.processFailed(name, doing, error);
      },
    });
    return {
      ...{ name, process },
      hold: () => process.hold(),
      end: (kind) => process.end(kind),
      stop: () => process.stop(),
      pause: () => process.pause(),
      jumpWallMs: (byMs) => process.jumpWallMs(byMs),
      disk: hasDisk ? faultyDisk(disk, process) : undefined,
      wipe: () => {
        disk.replace();
        this.#wiped.add(name);
        this.#options.invariants?.store(name).wiped();
      },
    };
  }

  #nextClock(): ClockShape {
    return this.#options.shape.clocks[this.#clockCount++] ?? { rate: 1, wallOffsetMs: 0 };
  }
}

function faultyDisk(disk: SimDisk, process: SimProcess<unknown>): NonNullable<Member<unknown>["disk"]> {
  return {
    get content() {
      return disk.content;
    },
    slow: (writeMs) => disk.slow(writeMs),
    setFull: (isFull) => disk.setFull(isFull),
    break: () => {
      const release = process.hold();
      process.setMayFail(true);
      disk.break("no space left on the device");
      return () => {
        process.end("kill");
        disk.crash();
        process.setMayFail(false);
        release();
      };
    },
    crashAtWrite: (writeCount, moment, crash, from) => disk.crashAtWrite(writeCount, moment, crash, from),
    cancelCrash: () => disk.cancelCrash(),
  };
}

/** Of what the placement driver refuses with. */
function codeOf(error: unknown): string {
  return fromConnectError(error, "RDB_PD_UNAVAILABLE").code;
}
