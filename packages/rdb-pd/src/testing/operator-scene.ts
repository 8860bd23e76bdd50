import { type Region, type RegionId, type StoreId, peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { RegionHeartbeatResponse } from "@flaredb/rdb-proto";
import type { Moment, StoreCondition } from "../cluster/cluster-state.ts";
import type { RegionInfo, RegionStatus } from "../cluster/region-info.ts";
import { type AddResult, OperatorController } from "../operator/operator-controller.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import type { OperatorPlan } from "../placement/operator-plan.ts";
import { type PlacementConfig, placementSchema } from "../placement/placement-config.ts";
import { planFor } from "../placement/plans.ts";
import { type RegionSketch, leaderReport, region } from "./regions.ts";

/** A controller over Regions and Stores that a test changes as it likes, with time in its hands. */
export class OperatorScene {
  readonly regions = new Map<RegionId, RegionInfo>();
  readonly conditions = new Map<StoreId, StoreCondition>();
  readonly sent: { readonly to: StoreId; readonly message: RegionHeartbeatResponse }[] = [];
  readonly recorded: OperatorRecord[] = [];
  readonly controller: OperatorController;
  config: PlacementConfig = placementSchema.parse({});
  nowMs = 1_000;
  #nextId = 1;

  constructor() {
    for (const id of [1, 2, 3, 4, 5]) {
      this.conditions.set(storeId(id), "Up");
    }
    this.controller = new OperatorController({
      region: (id) => this.regions.get(id),
      condition: (id) => this.conditions.get(id),
      config: () => this.config,
      takeId: () => this.#nextId++,
      send: (to, message) => {
        this.sent.push({ to, message });
        return true;
      },
      recorded: (record) => this.recorded.push(record),
    });
  }

  get now(): Moment {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs };
  }

  /** The Region as its leader reports it now. */
  report(sketch: RegionSketch, leader = 1, change: Partial<RegionStatus> = {}): RegionInfo {
    return this.reportRegion(region(sketch), leader, change);
  }

  reportRegion(reported: Region, leader = 1, change: Partial<RegionStatus> = {}): RegionInfo {
    const { load, damagedPeerIds, downPeerIds, pendingPeerIds } = leaderReport({ id: 1, range: "-" });
    const info: RegionInfo = {
      region: reported,
      status: {
        leader: reported.peers.find((peer) => peer.storeId === leader),
        epoch: reported.epoch,
        term: 6,
        ...{ load, damagedPeerIds, downPeerIds, pendingPeerIds },
        approximateSizeBytes: 0,
        approximateKeyCount: 0,
        verifiedIndex: 0,
        isMerging: false,
        reportedMs: this.nowMs,
        ...change,
      },
    };
    this.regions.set(reported.id, info);
    this.controller.regionChanged(reported.id, this.now);
    return info;
  }

  gone(id: number): void {
    this.regions.delete(regionId(id));
    this.controller.regionChanged(regionId(id), this.now);
  }

  /** A plan for the Region as it is. */
  plan(id: number, steps: OperatorPlan["steps"], change: Partial<OperatorPlan> = {}): OperatorPlan {
    const info = this.regions.get(regionId(id));
    if (info === undefined) {
      throw new Error(`the scene has no region ${id}`);
    }
    const head = { kind: "test", origin: "tester", priority: "Medium", motive: "why not" } as const;
    return { ...planFor(info, head, steps), ...change };
  }

  add(id: number, steps: OperatorPlan["steps"], change: Partial<OperatorPlan> = {}): AddResult {
    return this.controller.add(this.plan(id, steps, change), this.now);
  }

  /** Lets time go by in ticks of a second. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(this.nowMs + 1_000, endMs);
      this.controller.tick(this.now);
    }
  }

  /** The one that began last, as it is now. */
  get last(): OperatorRecord {
    const record = this.controller.find(this.#nextId - 1);
    if (record === undefined) {
      throw new Error("no operator began");
    }
    return record;
  }
}

export const addLearner = (store: number, peer = 900 + store) =>
  ({ kind: "add-learner", storeId: storeId(store), peerId: peerId(peer) }) as const;
export const promote = (store: number, peer = 900 + store) =>
  ({ kind: "promote", storeId: storeId(store), peerId: peerId(peer) }) as const;
export const removePeer = (store: number, peer: number) =>
  ({ kind: "remove-peer", storeId: storeId(store), peerId: peerId(peer) }) as const;
export const transfer = (from: number, to: number) =>
  ({ kind: "transfer-leader", fromStoreId: storeId(from), toStoreId: storeId(to) }) as const;

/** The Region with another peer, one conf change later. */
export function withPeer(before: Region, store: number, role: "Voter" | "Learner"): Region {
  const peer = { id: peerId(900 + store), storeId: storeId(store), role } as const;
  const others = before.peers.filter((each) => each.storeId !== store);
  return nextConfVer({ ...before, peers: [...others, peer] });
}

export function withoutPeer(before: Region, store: number): Region {
  return nextConfVer({ ...before, peers: before.peers.filter((peer) => peer.storeId !== store) });
}

function nextConfVer(changed: Region): Region {
  return { ...changed, epoch: { ...changed.epoch, confVer: changed.epoch.confVer + 1 } };
}
