import { create } from "@bufbuild/protobuf";
import {
  GiB,
  MiB,
  type PeerId,
  type PeerRole,
  type Region,
  type RegionId,
  type StoreId,
  peerId,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import { StoreStatsSchema } from "@flaredb/rdb-proto";
import { NO_LOAD, type RegionInfo, type RegionStatus } from "../cluster/region-info.ts";
import { type PlacementConfig, placementSchema } from "../placement/placement-config.ts";
import type { PlacementStore, PlacementView } from "../placement/placement-view.ts";
import { key } from "./regions.ts";

/** A Store of a table test: 100 GiB, half full, up. */
export interface StoreRow extends Partial<Omit<PlacementStore, "id" | "stats">> {
  readonly availableBytes?: number;
  readonly isSlow?: boolean;
  readonly isFull?: boolean;
}

/** A view that is written down by hand: what checkers and schedulers see, one value at a time. */
export class TableView implements PlacementView {
  nowMs = 0;
  config: PlacementConfig = placementSchema.parse({});
  readonly #stores = new Map<StoreId, PlacementStore>();
  readonly #regions = new Map<RegionId, RegionInfo>();
  readonly busy = new Set<RegionId>();
  #nextPeerId = 1_000;

  /** @param rows Stores 1, 2, ... */
  constructor(rows: readonly StoreRow[], config: Partial<PlacementConfig> = {}) {
    this.config = { ...this.config, ...config };
    rows.forEach((row, at) => this.setStore(at + 1, row));
  }

  get replicaCount(): number {
    return this.config.replicas;
  }

  setStore(
    id: number,
    { availableBytes = 50 * GiB, isSlow = false, isFull = false, ...row }: StoreRow,
  ): void {
    this.#stores.set(storeId(id), {
      ...{ id: storeId(id), condition: "Up", isDraining: false, evictsLeaders: false, labels: {} },
      ...{ regionCount: 0, leaderCount: 0, regionSizeBytes: 0 },
      ...{ plannedRegionCount: 0, plannedLeaderCount: 0, plannedSizeBytes: 0, pendingPeerCount: 0 },
      ...{ canAddPeer: true, canRemovePeer: true, load: NO_LOAD },
      stats: create(StoreStatsSchema, {
        capacityBytes: BigInt(100 * GiB),
        availableBytes: BigInt(availableBytes),
        isSlow,
        isFull,
      }),
      ...row,
    });
  }

  /** A Region that the first of its peers leads; peer ids are 100 * Region + Store. */
  addRegion(
    id: number,
    peers: readonly (number | readonly [store: number, role: PeerRole])[],
    { range = "-", ...status }: Partial<RegionStatus> & { readonly range?: string } = {},
  ): RegionInfo {
    const [start = "", end = ""] = range.split("-");
    const region: Region = {
      ...{ id: regionId(id), startKey: key(start), endKey: key(end), epoch: { confVer: 4, version: 2 } },
      peers: peers.map((peer) => {
        const [store, role] = typeof peer === "number" ? [peer, "Voter" as const] : peer;
        return { id: peerId(id * 100 + store), storeId: storeId(store), role };
      }),
    };
    const info: RegionInfo = {
      region,
      status: {
        ...{ leader: region.peers[0], epoch: region.epoch, term: 6 },
        ...{ approximateSizeBytes: 64 * MiB, approximateKeyCount: 1_000 },
        ...{ downPeerIds: [], pendingPeerIds: [], damagedPeerIds: [], load: NO_LOAD },
        ...{ verifiedIndex: 0, isMerging: false, reportedMs: 0 },
        ...status,
      },
    };
    this.#regions.set(region.id, info);
    return info;
  }

  stores(): readonly PlacementStore[] {
    return [...this.#stores.values()];
  }

  store(id: StoreId): PlacementStore | undefined {
    return this.#stores.get(id);
  }

  region(id: RegionId): RegionInfo | undefined {
    return this.#regions.get(id);
  }

  neighbours(region: Region): {
    readonly left: RegionInfo | undefined;
    readonly right: RegionInfo | undefined;
  } {
    const all = [...this.#regions.values()];
    const same = (a: Uint8Array, b: Uint8Array): boolean => a.length > 0 && Buffer.compare(a, b) === 0;
    return {
      left: all.find((info) => same(info.region.endKey, region.startKey)),
      right: all.find((info) => same(info.region.startKey, region.endKey)),
    };
  }

  *#regionsOn(id: StoreId): Iterable<RegionInfo> {
    for (const info of this.#regions.values()) {
      if (info.region.peers.some((peer) => peer.storeId === id)) {
        yield info;
      }
    }
  }

  *regionsLedBy(id: StoreId): Iterable<RegionInfo> {
    for (const info of this.#regionsOn(id)) {
      if (info.status?.leader?.storeId === id) {
        yield info;
      }
    }
  }

  /** The first that fits: chance has no place in a table. */
  pickRegionOn(
    id: StoreId,
    role: "leader" | "follower" | "any",
    _draws: number,
    fits: (info: RegionInfo) => boolean,
  ): RegionInfo | undefined {
    return [...this.#regionsOn(id)].find((info) => {
      const leads = info.status?.leader?.storeId === id;
      return (role === "any" || leads === (role === "leader")) && fits(info);
    });
  }

  hasOperator(id: RegionId): boolean {
    return this.busy.has(id);
  }

  newPeerId(): PeerId {
    return peerId(this.#nextPeerId++);
  }

  random(): number {
    return 0;
  }
}
