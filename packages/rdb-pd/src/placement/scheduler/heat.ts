import { type RegionId, SECOND_MS, type StoreId, peerOnStore } from "@flaredb/rdb-base";
import type { RegionInfo, RegionLoad } from "../../cluster/region-info.ts";
import type { PlacementConfig } from "../placement-config.ts";
import type { PlacementView } from "../placement-view.ts";
import type { WeightBoard } from "./weight-board.ts";

/** What of a Region's load is looked at: reads by keys, writes by bytes; each a second. */
export interface Heat {
  readonly name: "reads" | "writes";
  readonly unit: string;
  readonly rate: (load: RegionLoad) => number;
  /** Below it a Region is not worth the trouble. */
  readonly threshold: (config: PlacementConfig) => number;
}

export const heats: readonly Heat[] = [
  {
    name: "reads",
    unit: "keys/s",
    rate: ({ readKeysPerSecond }) => readKeysPerSecond,
    threshold: ({ hotReadKeysPerSecond }) => hotReadKeysPerSecond,
  },
  {
    name: "writes",
    unit: "bytes/s",
    rate: ({ writtenBytesPerSecond }) => writtenBytesPerSecond,
    threshold: ({ hotWriteBytesPerSecond }) => hotWriteBytesPerSecond,
  },
];

export function heatOf(info: RegionInfo, heat: Heat): number {
  return info.status === undefined ? 0 : heat.rate(info.status.load);
}

export function isHot(info: RegionInfo, heat: Heat, config: PlacementConfig): boolean {
  return heatOf(info, heat) > heat.threshold(config);
}

/** From this part of what a Store bears in the mean on, a hot Region counts as much as many others. */
const WEIGHTY_PART = 0.1;

/**
 * Tells the hot Regions that are a good part of a Store's load: only hot-region moves their leadership, else who counts
 * leaders and who weighs load would move them to and fro.
 */
export class WeightyHeat {
  readonly #view: PlacementView;
  readonly #least: readonly { readonly heat: Heat; readonly rate: number }[];

  constructor(view: PlacementView) {
    this.#view = view;
    const stores = view.stores();
    this.#least = heats.map((heat) => {
      const sum = stores.reduce((total, { load }) => total + heat.rate(load), 0);
      return { heat, rate: (sum / Math.max(1, stores.length)) * WEIGHTY_PART };
    });
  }

  has(info: RegionInfo): boolean {
    return this.#least.some(
      ({ heat, rate }) => isHot(info, heat, this.#view.config) && heatOf(info, heat) > rate,
    );
  }
}

/** A Region that was just moved is left alone for so long: its new leader has to measure its load first. */
const SETTLE_MS = 60 * SECOND_MS;

/** From where to where a load goes. */
export interface LoadMove {
  readonly fromId: StoreId;
  readonly toId: StoreId;
  readonly movesLeader: boolean;
}

interface Move extends LoadMove {
  /** `toId` had no peer before. */
  readonly movesPeer: boolean;
  readonly load: RegionLoad;
  readonly untilMs: number;
}

/** Loads that were sent to other Stores and that reports do not show there yet. */
export class MovedLoads {
  readonly #moves = new Map<RegionId, Move>();

  add({ region, status }: RegionInfo, move: LoadMove, nowMs: number): void {
    if (status !== undefined) {
      const movesPeer = peerOnStore(region, move.toId) === undefined;
      this.#moves.set(region.id, { ...move, movesPeer, load: status.load, untilMs: nowMs + SETTLE_MS });
    }
  }

  has(id: RegionId): boolean {
    return this.#moves.has(id);
  }

  /** What has settled counts as it is reported from now on. */
  settle(nowMs: number): void {
    for (const [id, { untilMs }] of this.#moves) {
      if (untilMs <= nowMs) {
        this.#moves.delete(id);
      }
    }
  }

  /** Counts each leader's load where it will be; on the way somebody else may lead for a while. */
  applyToLeaders(board: WeightBoard, heat: Heat, view: PlacementView): void {
    for (const [id, { toId, movesLeader, load }] of this.#moves) {
      const info = view.region(id);
      const leaderId = info?.status?.leader?.storeId;
      if (info === undefined || leaderId === undefined || !movesLeader) {
        continue;
      }
      const reported = heatOf(info, heat);
      if (leaderId === toId) {
        board.shift(toId, Math.max(0, heat.rate(load) - reported));
      } else {
        board.shift(leaderId, -reported);
        board.shift(toId, reported);
      }
    }
  }

  /** Counts each peer's load where it will be. */
  applyToPeers(board: WeightBoard, heat: Heat, view: PlacementView): void {
    for (const [id, { fromId, toId, movesPeer }] of this.#moves) {
      const info = view.region(id);
      if (info === undefined || !movesPeer) {
        continue;
      }
      const rate = heatOf(info, heat);
      board.shift(fromId, peerOnStore(info.region, fromId) === undefined ? 0 : -rate);
      board.shift(toId, peerOnStore(info.region, toId) === undefined ? rate : 0);
    }
  }
}
