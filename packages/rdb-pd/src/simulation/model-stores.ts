import {
  MiB,
  type Peer,
  type PeerId,
  type Region,
  type RegionId,
  SECOND_MS,
  type StoreId,
  assert,
  epochsEqual,
  peerById,
  peerId,
  regionId,
} from "@flaredb/rdb-base";
import {
  type ChangePeers,
  type RegionHeartbeatResponse,
  type TransferLeader,
  epochFromProto,
} from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";
import { type LeaderReport, NO_LOAD, type RegionInfo, type RegionLoad } from "../cluster/region-info.ts";
import { changedPeers } from "./changed-peers.ts";
import type { EventQueue } from "./event-queue.ts";

/** A Store of the model. */
export interface StoreSketch {
  readonly capacityBytes: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isSlow?: boolean;
}

/** From a command's arrival to the report of what came of it. */
const COMMAND_MS = 50;
/** What a new peer waits for beside its data. */
const CATCH_UP_MIN_MS = SECOND_MS;
const CATCH_UP_BYTES_PER_SECOND = 64 * MiB;
/** After its leader's loss a Region gets a new one so late. */
const ELECTION_MS = 10 * SECOND_MS;

export interface ModelStoresOptions {
  readonly cluster: ClusterState;
  readonly events: EventQueue;
  readonly nowMs: () => number;
  readonly report: (report: LeaderReport) => void;
}

/** What Stores would do: they carry out PD's commands after a while, and elect leaders. What Regions are is what PD knows. */
export class ModelStores {
  readonly #options: ModelStoresOptions;
  readonly #sketches = new Map<StoreId, StoreSketch>();
  readonly #dead = new Set<StoreId>();
  /** New peers that have not got their data yet. */
  readonly #pending = new Map<RegionId, readonly PeerId[]>();
  readonly #loads = new Map<RegionId, RegionLoad>();
  /** Moves of leaderships and peers that were carried out. */
  changeCount = 0;

  constructor(options: ModelStoresOptions) {
    this.#options = options;
  }

  add(id: StoreId, sketch: StoreSketch): void {
    this.#sketches.set(id, sketch);
  }

  sketch(id: StoreId): StoreSketch {
    const sketch = this.#sketches.get(id);
    assert(sketch !== undefined, "the Store is there");
    return sketch;
  }

  isAlive(id: StoreId): boolean {
    return !this.#dead.has(id);
  }

  /** A new Region: its first peer leads. */
  lead(region: Region, sizeBytes: number): void {
    const leader = region.peers[0];
    assert(leader !== undefined, "a Region has peers");
    this.#report(region, leader, 6, sizeBytes);
  }

  /** What a Region is read and written. */
  load(id: RegionId, load: RegionLoad): void {
    this.#loads.set(id, load);
    this.#reportAgain(id);
  }

  /** It answers no more. Its leaderships pass to others after a while; theirs tell of it then. */
  kill(id: StoreId): void {
    this.#dead.add(id);
    const { events, nowMs, cluster } = this.#options;
    const { led, followed } = cluster.index.of(id);
    const touched = [...led, ...followed];
    events.at(nowMs() + ELECTION_MS, () => touched.forEach((each) => this.#reportAgain(each)));
  }

  /** It answers again, with what it had. */
  revive(id: StoreId): void {
    this.#dead.delete(id);
    const { led, followed } = this.#options.cluster.index.of(id);
    [...led, ...followed].forEach((each) => this.#reportAgain(each));
  }

  /** PD says something to a Store. @returns whether the Store hears it */
  send(id: StoreId, { command }: RegionHeartbeatResponse): boolean {
    if (!this.isAlive(id)) {
      return false;
    }
    const { events, nowMs } = this.#options;
    events.at(nowMs() + COMMAND_MS, () => {
      if (command.case === "changePeers") {
        this.#changePeers(id, command.value);
      } else if (command.case === "transferLeader") {
        this.#transfer(id, command.value);
      } else {
        throw new Error(`the model's Stores do not know ${command.case}`);
      }
    });
    return true;
  }

  #changePeers(id: StoreId, command: ChangePeers): void {
    const info = this.#ledHere(id, regionId(command.regionId));
    if (info === undefined || !epochsEqual(info.region.epoch, epochFromProto(command.epoch))) {
      return;
    }
    const before = info.region;
    const after = changedPeers(before, command);
    const added = after.peers.filter((peer) => peerById(before, peer.id) === undefined);
    assert(
      peerById(after, info.leader.id)?.role !== "Learner" && peerById(after, info.leader.id) !== undefined,
      "a leader is neither removed nor made a learner",
    );
    assert(this.#hasLiveQuorum(after), `region ${after.id} keeps a quorum of live voters`);
    this.changeCount += added.length;
    this.#pending.set(after.id, [...this.#pendingOf(after), ...added.map((peer) => peer.id)]);
    this.#reportAs(info, after, info.leader, info.term);
    for (const peer of added) {
      this.#catchUp(peer, after.id, info.sizeBytes);
    }
  }

  #catchUp(peer: Peer, id: RegionId, sizeBytes: number): void {
    const { events, nowMs } = this.#options;
    const durationMs = CATCH_UP_MIN_MS + Math.ceil((sizeBytes / CATCH_UP_BYTES_PER_SECOND) * SECOND_MS);
    events.at(nowMs() + durationMs, () => {
      const rest = (this.#pending.get(id) ?? []).filter((each) => each !== peer.id);
      if (rest.length === 0) {
        this.#pending.delete(id);
      } else {
        this.#pending.set(id, rest);
      }
      this.#reportAgain(id);
    });
  }

  #transfer(id: StoreId, command: TransferLeader): void {
    const info = this.#ledHere(id, regionId(command.regionId));
    const to = info === undefined ? undefined : peerById(info.region, peerId(command.toPeerId));
    if (info !== undefined && to !== undefined && this.isAlive(to.storeId)) {
      this.changeCount += 1;
      this.#reportAs(info, info.region, to, info.term + 1);
    }
  }

  /** The leader says how its Region is; if it is lost, another one leads from now on, if there is a quorum. */
  #reportAgain(id: RegionId): void {
    const { region, status } = this.#options.cluster.region(id) ?? {};
    if (region === undefined || status === undefined || !this.#hasLiveQuorum(region)) {
      return;
    }
    const known = status.leader === undefined ? undefined : peerById(region, status.leader.id);
    if (known !== undefined && this.isAlive(known.storeId)) {
      this.#report(region, known, status.term, status.approximateSizeBytes);
      return;
    }
    const heir = region.peers.find(({ role, storeId }) => role !== "Learner" && this.isAlive(storeId));
    if (heir !== undefined) {
      this.#report(region, heir, status.term + 1, status.approximateSizeBytes);
    }
  }

  #ledHere(id: StoreId, region: RegionId): LedHere | undefined {
    const info = this.#options.cluster.region(region);
    const leader = info?.status?.leader;
    return info?.status === undefined || leader?.storeId !== id || !this.isAlive(id)
      ? undefined
      : { ...info, leader, term: info.status.term, sizeBytes: info.status.approximateSizeBytes };
  }

  #reportAs(info: LedHere, region: Region, leader: Peer, term: number): void {
    this.#report(region, leader, term, info.sizeBytes);
  }

  #report(region: Region, leader: Peer, term: number, sizeBytes: number): void {
    this.#options.report({
      ...{ regionId: region.id, peerId: leader.id, epoch: region.epoch, isLeader: true },
      ...{ storeId: leader.storeId, region, term, approximateSizeBytes: sizeBytes },
      approximateKeyCount: Math.round(sizeBytes / 1_000),
      downPeerIds: region.peers.filter(({ storeId }) => !this.isAlive(storeId)).map(({ id }) => id),
      pendingPeerIds: this.#pendingOf(region),
      damagedPeerIds: [],
      load: this.#loads.get(region.id) ?? NO_LOAD,
      verifiedIndex: 0,
      isMerging: false,
    });
  }

  #pendingOf(region: Region): PeerId[] {
    return (this.#pending.get(region.id) ?? []).filter((id) => peerById(region, id) !== undefined);
  }

  #hasLiveQuorum({ peers }: Region): boolean {
    const isQuorum = (gone: Peer["role"]): boolean => {
      const voters = peers.filter(({ role }) => role !== "Learner" && role !== gone);
      return voters.filter(({ storeId }) => this.isAlive(storeId)).length > voters.length / 2;
    };
    return isQuorum("IncomingVoter") && isQuorum("DemotingVoter");
  }
}

interface LedHere extends RegionInfo {
  readonly leader: Peer;
  readonly term: number;
  readonly sizeBytes: number;
}
