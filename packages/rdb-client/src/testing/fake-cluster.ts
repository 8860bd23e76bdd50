import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type KeyRange,
  type Peer,
  RdbError,
  type Region,
  type StoreId,
  compareKeys,
  epochsEqual,
  keyInRange,
  peerId,
  peerOnStore,
  rangesOverlap,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import {
  type BatchRequest,
  BatchRequestSchema,
  BatchResponseSchema,
  GetClusterInfoResponseSchema,
  type GetRegionResponse,
  GetRegionResponseSchema,
  type KvRequest,
  type KvResponse,
  ListRegionsResponseSchema,
  ListStoresResponseSchema,
  ReadFrom,
  type RegionError,
  RegionErrorSchema,
  type RegionRequests,
  type RegionRoute,
  RegionRouteSchema,
  StoreSchema,
  epochFromProto,
  peerToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PdConnector, StoreConnector } from "../ports.ts";
import { FakeRows } from "./fake-rows.ts";
import { FakeSessions } from "./fake-sessions.ts";
import type { ManualClock } from "./manual-clock.ts";

/** One way, in either direction. */
export const LATENCY_MS = 0.5;
/** How long a silent Store is taken for alive, as keepalive would. */
export const SILENCE_MS = 1_750;
/** When a command that was called stale is applied all the same. */
const APPLIED_LATER_MS = 300;

/**
 * - `up`: serves;
 * - `dead`: refuses connections, and cuts those that there are;
 * - `silent`: takes everything, answers nothing; its connections die after a while, new ones never open;
 * - `mute`: serves everything, but its answers are lost; connections die as with `silent`.
 */
export type FakeStoreState = "up" | "dead" | "silent" | "mute";

/**
 * What a test makes of one request before the Store sees it: an error, or
 * - `unanswered`: it is lost;
 * - `answer lost`: it is served, the answer is lost;
 * - `stale but applied`: StaleCommand for what is applied all the same;
 * - `stale, applied later`: StaleCommand, and applied after a while, if its Region is still what it was.
 */
export type Intercepted =
  | MessageInitShape<typeof RegionErrorSchema>["reason"]
  | "unanswered"
  | "answer lost"
  | "stale but applied"
  | "stale, applied later"
  | undefined;

type Intercept = (request: KvRequest, store: FakeStore) => Intercepted;

export interface FakeStore {
  readonly id: StoreId;
  address: string;
  state: FakeStoreState;
  /** Requests that reached it. */
  readonly requests: KvRequest[];
  intercept: Intercept | undefined;
  /** Regions as this Store knows them; `undefined`: as the cluster does. */
  regions: Region[] | undefined;
  /** Whom this Store takes for the leader; `undefined`: whom the cluster does. */
  believedLeader: ((region: Region) => Peer | undefined) | undefined;
}

interface OpenStream {
  readonly store: FakeStore | undefined;
  close(error: RdbError): void;
}

const text = new TextEncoder();

/** Three Stores (or more), Regions between the given keys, a placement driver: all in memory, on a manual clock. */
export class FakeCluster {
  readonly clock: ManualClock;
  readonly rows = new FakeRows();
  readonly stores: FakeStore[];
  regions: Region[];
  /** Leaders by Region id; without one the Region has none. */
  readonly leaders = new Map<number, Peer>();
  /** Whether the placement driver answers. */
  isPdUp = true;
  isBootstrapped = true;
  /** Whether it hands out the map when a client connects. */
  listsRegions = true;
  /** Calls that reached the placement driver, by method. */
  readonly pdCalls: string[] = [];
  readonly #streams = new Set<OpenStream>();
  /** Every range that a Region ever had, by id and version. */
  readonly #ranges = new Map<string, KeyRange>();
  /** How far a Region's log time is ahead of the wall clock. */
  readonly logTimeSkewMs = new Map<number, number>();
  readonly #sessions = new Map<number, FakeSessions>();
  #nextId = 100;

  constructor(
    clock: ManualClock,
    options: { readonly storeCount?: number; readonly splitKeys?: string[] } = {},
  ) {
    this.clock = clock;
    this.stores = Array.from({ length: options.storeCount ?? 3 }, (_, at) => ({
      id: storeId(at + 1),
      address: `store-${at + 1}:7410`,
      state: "up" as FakeStoreState,
      requests: [],
      intercept: undefined,
      regions: undefined,
      believedLeader: undefined,
    }));
    const bounds = ["", ...(options.splitKeys ?? []), ""].map((key) => text.encode(key));
    this.regions = bounds.slice(0, -1).map((startKey, at) => ({
      id: regionId(at + 1),
      startKey,
      endKey: bounds[at + 1] as Uint8Array,
      epoch: { confVer: 1, version: 1 },
      peers: this.#peersFor(at + 1),
    }));
    this.#remember();
    for (const [at, region] of this.regions.entries()) {
      this.leaders.set(region.id, region.peers[at % 3] as Peer);
    }
  }

  store(id: number): FakeStore {
    return this.stores[id - 1] as FakeStore;
  }

  region(key: string): Region {
    return this.regions.find((region) => keyInRange(text.encode(key), region)) as Region;
  }

  /** The Store whose peer leads the Region of the key. */
  leaderStore(key: string): FakeStore {
    return this.store((this.leaders.get(this.region(key).id) as Peer).storeId);
  }

  moveLeader(key: string, toStore: number | undefined): void {
    const region = this.region(key);
    const peer = toStore === undefined ? undefined : peerOnStore(region, storeId(toStore));
    if (peer === undefined) {
      this.leaders.delete(region.id);
    } else {
      this.leaders.set(region.id, peer);
    }
  }

  /** Splits the Region that holds the key there; the new Region is the left one or the right one. */
  split(at: string, newSide: "left" | "right" = "right"): void {
    const parent = this.region(at);
    const key = text.encode(at);
    const epoch = { ...parent.epoch, version: parent.epoch.version + 1 };
    const leader = this.leaders.get(parent.id);
    const id = regionId(this.#nextId++);
    const left = { startKey: parent.startKey, endKey: key };
    const right = { startKey: key, endKey: parent.endKey };
    const [kept, made] = newSide === "right" ? [left, right] : [right, left];
    const child: Region = { id, epoch, ...made, peers: this.#peersFor(id) };
    this.regions = this.regions
      .map((region) => (region.id === parent.id ? { ...region, epoch, ...kept } : region))
      .concat(child)
      .sort((a, b) => compareKeys(a.startKey, b.startKey));
    this.#remember();
    this.#sessions.set(id, this.sessionsOf(parent.id).copy());
    this.logTimeSkewMs.set(id, this.logTimeSkewMs.get(parent.id) ?? 0);
    const childLeader = leader && peerOnStore(child, leader.storeId);
    if (childLeader !== undefined) {
      this.leaders.set(id, childLeader);
    }
  }

  setState(id: number, state: FakeStoreState): void {
    const store = this.store(id);
    store.state = state;
    if (state === "up") {
      return;
    }
    const error = new RdbError("RDB_UNAVAILABLE", `${store.address} ${state}`);
    const streams = [...this.#streams].filter((stream) => stream.store === store);
    this.clock.setTimer(state === "dead" ? LATENCY_MS : SILENCE_MS, () => {
      for (const stream of streams) {
        stream.close(error);
      }
    });
  }

  readonly storeConnector: StoreConnector = {
    open: (address, codec, handlers) => {
      const store = this.stores.find((candidate) => candidate.address === address);
      let queue: Parameters<typeof codec.encode>[0][number][] = [];
      let state: "connecting" | "scheduled" | "open" | "closed" = "connecting";
      const close = (error: RdbError): void => {
        if (state !== "closed") {
          state = "closed";
          this.#streams.delete(stream);
          handlers.onClosed(error);
        }
      };
      const stream: OpenStream = { store, close };
      this.#streams.add(stream);
      const flush = (): void => {
        if (state !== "scheduled") {
          return;
        }
        state = "open";
        const items = queue;
        queue = [];
        const message = codec.encode(items);
        if (message !== undefined) {
          this.#deliver(store as FakeStore, message, (answer) => {
            if (state !== "closed") {
              handlers.onMessage(codec.decode(answer));
            }
          });
        }
      };
      const connected = (): void => {
        if (state !== "connecting") {
          return;
        }
        if (store === undefined || store.state === "dead") {
          close(new RdbError("RDB_UNAVAILABLE", `${address} refuses connections`));
          return;
        }
        if (store.state !== "up") {
          this.clock.setTimer(1_000, () =>
            close(new RdbError("RDB_UNAVAILABLE", `${address} does not speak`)),
          );
          return;
        }
        state = "open";
        handlers.onOpen?.();
        if (queue.length > 0) {
          state = "scheduled";
          flush();
        }
      };
      this.clock.setTimer(LATENCY_MS, connected);
      return {
        get isOpen() {
          return state !== "closed";
        },
        get roundTripMs() {
          return state === "connecting" ? undefined : Number(store?.id ?? 0);
        },
        push: (item) => {
          if (state === "closed") {
            return false;
          }
          queue.push(item);
          if (state === "open") {
            state = "scheduled";
            this.clock.setTimer(0, flush);
          }
          return true;
        },
        close: () => close(new RdbError("RDB_CLOSED", "connection was closed")),
      };
    },
  };

  /** The placement driver's answers, in the form that a service takes too. */
  readonly pdRoutes = {
    getClusterInfo: () =>
      this.#asked("getClusterInfo", () =>
        create(GetClusterInfoResponseSchema, { clusterId: 1n, bootstrapped: this.isBootstrapped }),
      ),
    getRegion: ({ key, before }: { readonly key: Uint8Array; readonly before: boolean }) =>
      this.#asked("getRegion", () => this.#getRegion(key, before)),
    listRegions: () =>
      this.#asked("listRegions", () =>
        create(ListRegionsResponseSchema, {
          routes: this.listsRegions ? this.regions.map((region) => this.#route(region)) : [],
        }),
      ),
    listStores: () =>
      this.#asked("listStores", () =>
        create(ListStoresResponseSchema, {
          statuses: this.stores.map((store) => ({ store: { id: BigInt(store.id), address: store.address } })),
        }),
      ),
  };

  readonly pdConnector: PdConnector = {
    connect: (address) => {
      const answer = async <Answer>(make: () => Answer): Promise<Answer> => {
        await new Promise<void>((resolve) => this.clock.setTimer(LATENCY_MS, resolve));
        if (!this.isPdUp || address.startsWith("dead")) {
          throw new RdbError("RDB_PD_UNAVAILABLE", `${address} does not answer`);
        }
        return make();
      };
      const { getClusterInfo, getRegion, listRegions, listStores } = this.pdRoutes;
      return {
        getClusterInfo: () => answer(getClusterInfo),
        getRegion: (request) => answer(() => getRegion(request)),
        listRegions: () => answer(listRegions),
        listStores: () => answer(listStores),
        close: () => {},
      };
    },
  };

  /** What a Store answers to a batch; a request of which nothing comes back is left out. */
  serve(store: FakeStore, batch: BatchRequest): KvResponse[] {
    return batch.regions.flatMap((group) =>
      group.requests.flatMap((request): KvResponse[] => {
        store.requests.push(request);
        const result = this.#serveOne(store, group, request, store.intercept?.(request, store));
        return result === undefined
          ? []
          : [{ $typeName: "rdb.v1.KvResponse", requestId: request.requestId, result }];
      }),
    );
  }

  /** The Region's log time: the wall clock, unless a test has it differ. */
  logTimeMs(id: number): number {
    return this.clock.wallMs() + (this.logTimeSkewMs.get(id) ?? 0);
  }

  #serveOne(
    store: FakeStore,
    group: RegionRequests,
    request: KvRequest,
    made: Intercepted,
  ): KvResponse["result"] | undefined {
    const stale = regionError({ case: "staleCommand", value: {} });
    switch (made) {
      case "unanswered":
        return undefined;
      case "answer lost":
        this.#answer(store, group, request);
        return undefined;
      case "stale but applied": {
        const answer = this.#answer(store, group, request);
        return answer.case === "error" ? answer : { case: "error", value: stale };
      }
      case "stale, applied later": {
        const refused = this.#check(store, group, request);
        if (refused === undefined) {
          this.clock.setTimer(APPLIED_LATER_MS, () => this.#applyLate(group, request));
        }
        return { case: "error", value: refused ?? stale };
      }
      case undefined:
        return this.#answer(store, group, request);
      default:
        return { case: "error", value: regionError(made) };
    }
  }

  #answer(store: FakeStore, group: RegionRequests, request: KvRequest): KvResponse["result"] {
    const refused = this.#check(store, group, request);
    return refused === undefined ? this.#apply(group, request) : { case: "error", value: refused };
  }

  /** As a follower does with an entry of an older leader: the epoch is checked again. */
  #applyLate(group: RegionRequests, request: KvRequest): void {
    const region = this.#regionById(group);
    if (region !== undefined && BigInt(region.epoch.version) === group.header?.epoch?.version) {
      this.#apply(group, request);
    }
  }

  #apply(group: RegionRequests, request: KvRequest): KvResponse["result"] {
    const region = this.#regionById(group) as Region;
    const session = group.header?.session;
    const evaluate = (): KvResponse["result"] => this.rows.evaluate(request.command, region);
    if (request.sequence === 0 || session === undefined) {
      return evaluate();
    }
    const applied = this.sessionsOf(region.id).apply(session, request, this.logTimeMs(region.id), evaluate);
    return applied.case === "requestExpired" || applied.case === "sequenceClosed"
      ? { case: "error", value: regionError(applied) }
      : (applied as KvResponse["result"]);
  }

  /** What a Region remembers of its clients' writes. */
  sessionsOf(id: number): FakeSessions {
    let sessions = this.#sessions.get(id);
    if (sessions === undefined) {
      sessions = new FakeSessions();
      this.#sessions.set(id, sessions);
    }
    return sessions;
  }

  #asked<Answer>(method: string, make: () => Answer): Answer {
    this.pdCalls.push(method);
    return make();
  }

  #remember(): void {
    for (const region of this.regions) {
      this.#ranges.set(rangeName(region.id, region.epoch.version), region);
    }
  }

  #deliver(store: FakeStore, message: Uint8Array, answered: (message: Uint8Array) => void): void {
    this.clock.setTimer(LATENCY_MS, () => {
      if (store.state === "dead" || store.state === "silent") {
        return;
      }
      const responses = this.serve(store, fromBinary(BatchRequestSchema, message));
      this.clock.setTimer(LATENCY_MS, () => {
        if (store.state === "up" && responses.length > 0) {
          answered(toBinary(BatchResponseSchema, create(BatchResponseSchema, { responses })));
        }
      });
    });
  }

  #check(store: FakeStore, group: RegionRequests, request: KvRequest): RegionError | undefined {
    const { header } = group;
    if (Number(header?.storeId) !== store.id) {
      return regionError({
        case: "storeNotMatch",
        value: { requestStoreId: header?.storeId ?? 0n, actualStoreId: BigInt(store.id) },
      });
    }
    const known = store.regions ?? this.regions;
    const region = known.find((candidate) => candidate.id === Number(header?.regionId));
    if (region === undefined || peerOnStore(region, store.id) === undefined) {
      return regionError({ case: "regionNotFound", value: { regionId: header?.regionId ?? 0n } });
    }
    const leader =
      store.believedLeader === undefined ? this.leaders.get(region.id) : store.believedLeader(region);
    const mayServe =
      leader?.storeId === store.id || (request.readFrom === ReadFrom.FOLLOWER && leader !== undefined);
    if (!mayServe) {
      return regionError({
        case: "notLeader",
        value: {
          regionId: BigInt(region.id),
          ...(leader && {
            leader: peerToProto(leader),
            leaderAddress: this.store(leader.storeId).address,
          }),
        },
      });
    }
    if (!epochsEqual(epochFromProto(header?.epoch), region.epoch)) {
      const asked = this.#ranges.get(rangeName(region.id, Number(header?.epoch?.version))) ?? region;
      const old = this.regions.filter((candidate) => rangesOverlap(candidate, asked));
      return regionError({
        case: "epochNotMatch",
        value: { currentRegions: (store.regions === undefined ? old : [region]).map(regionToProto) },
      });
    }
    return undefined;
  }

  #regionById(group: RegionRequests): Region | undefined {
    return this.regions.find((region) => region.id === Number(group.header?.regionId));
  }

  #getRegion(key: Uint8Array, before: boolean): GetRegionResponse {
    if (!this.isBootstrapped) {
      throw new RdbError("RDB_CLUSTER_NOT_BOOTSTRAPPED", "the cluster has no Regions yet");
    }
    const region = before
      ? this.regions.findLast((candidate) => key.length === 0 || compareKeys(candidate.startKey, key) < 0)
      : this.regions.find((candidate) => keyInRange(key, candidate));
    return create(GetRegionResponseSchema, {
      route: this.#route(region as Region),
      stores: this.stores.map((store) =>
        create(StoreSchema, { id: BigInt(store.id), address: store.address }),
      ),
    });
  }

  #route(region: Region): RegionRoute {
    const leader = this.leaders.get(region.id);
    return create(RegionRouteSchema, {
      region: regionToProto(region),
      ...(leader && { leader: peerToProto(leader) }),
    });
  }

  #peersFor(id: number): Peer[] {
    return this.stores
      .slice(0, 3)
      .map((store) => ({ id: peerId(id * 10 + store.id), storeId: store.id, role: "Voter" as const }));
  }
}

function rangeName(id: number, version: number): string {
  return `${id} ${version}`;
}

function regionError(reason: MessageInitShape<typeof RegionErrorSchema>["reason"]): RegionError {
  return create(RegionErrorSchema, { message: `refused: ${reason?.case}`, ...(reason && { reason }) });
}
