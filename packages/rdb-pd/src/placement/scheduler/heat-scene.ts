import type { RegionInfo } from "../../cluster/region-info.ts";
import { storesOf } from "../candidates.ts";
import { isolationScore } from "../filter/location.ts";
import { passes } from "../filter/store-filter.ts";
import { alive, leaderFilters, newPeerFilters } from "../filter/store-filters.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { type Heat, type MovedLoads, heatOf, isHot } from "./heat.ts";
import { WeightBoard } from "./weight-board.ts";

/** A move has to gain this part of the Region's load more than nothing: rates are never quite still. */
const MARGIN = 0.2;

type MoveKind = "move-hot-leader" | "move-hot-peer";

/** How hot each Store is, by one kind of heat. */
export class HeatScene {
  readonly view: PlacementView;
  readonly heat: Heat;
  readonly #hot: readonly RegionInfo[];
  /** By what each Store leads; */
  readonly #leaders: WeightBoard;
  /** and by all peers of the hot Regions, which all take the writes. */
  readonly #peers: WeightBoard;

  constructor(view: PlacementView, heat: Heat, hot: Iterable<RegionInfo>, moved: MovedLoads) {
    this.view = view;
    this.heat = heat;
    this.#hot = [...hot]
      .filter((info) => isHot(info, heat, view.config))
      .sort((a, b) => heatOf(b, heat) - heatOf(a, heat) || a.region.id - b.region.id);
    const present = view.stores().filter((store) => passes(store, alive));
    this.#leaders = new WeightBoard(present, ({ load }) => heat.rate(load));
    moved.applyToLeaders(this.#leaders, heat, view);
    this.#peers = new WeightBoard(present, () => 0);
    for (const info of this.#hot) {
      for (const { storeId } of info.region.peers) {
        this.#peers.shift(storeId, heatOf(info, heat));
      }
    }
    moved.applyToPeers(this.#peers, heat, view);
  }

  hottestFirst(): readonly RegionInfo[] {
    return this.#hot;
  }

  leaderStore(info: RegionInfo): PlacementStore | undefined {
    const leader = info.status?.leader;
    return leader === undefined ? undefined : this.view.store(leader.storeId);
  }

  /** The coolest Store with a follower that would be cooler than the leader's even with the Region. */
  coolerFollower(info: RegionInfo, from: PlacementStore): PlacementStore | undefined {
    const stores = storesOf(info, this.view).filter(
      (store) =>
        store.id !== from.id &&
        passes(store, leaderFilters) &&
        this.#betters("move-hot-leader", info, from, store),
    );
    return coolest(stores, this.#leaders);
  }

  /** The coolest Store without a peer that would be cooler than `from` even with the Region's one there. */
  coolerStore(kind: MoveKind, info: RegionInfo, from: PlacementStore): PlacementStore | undefined {
    const labels = this.view.config.locationLabels;
    const staying = storesOf(info, this.view).filter(({ id }) => id !== from.id);
    const isolation = isolationScore(from, staying, labels);
    const filters = [
      ...newPeerFilters(this.view.config),
      ...(kind === "move-hot-leader" ? leaderFilters : []),
    ];
    return this.#board(kind)
      .ascending()
      .find(
        (store) =>
          store.id !== from.id &&
          !staying.some(({ id }) => id === store.id) &&
          this.#betters(kind, info, from, store) &&
          passes(store, filters) &&
          isolationScore(store, staying, labels) >= isolation,
      );
  }

  describe(): string {
    const ascending = this.#leaders.ascending();
    const [first, last] = [ascending[0], ascending.at(-1)];
    return first === undefined || last === undefined
      ? "no store is up"
      : `${this.#hot.length} regions are hot by ${this.heat.name}; stores have ${this.#rate("move-hot-leader", first)} to ${this.#rate("move-hot-leader", last)} ${this.heat.unit}`;
  }

  describeStores(kind: MoveKind, from: PlacementStore, to: PlacementStore): string {
    return `store ${from.id} has ${this.#rate(kind, from)} ${this.heat.unit}, store ${to.id} ${this.#rate(kind, to)}`;
  }

  /** Whether the hotter of the two is cooler afterwards, by more than rates waver. */
  #betters(kind: MoveKind, info: RegionInfo, from: PlacementStore, to: PlacementStore): boolean {
    const board = this.#board(kind);
    const gap = (board.weight(from.id) ?? 0) - (board.weight(to.id) ?? Number.POSITIVE_INFINITY);
    const rate = heatOf(info, this.heat);
    return gap > rate * (1 + MARGIN) && gap > board.mean * this.view.config.tolerance;
  }

  #board(kind: MoveKind): WeightBoard {
    return kind === "move-hot-leader" ? this.#leaders : this.#peers;
  }

  #rate(kind: MoveKind, store: PlacementStore): number {
    return Math.round(this.#board(kind).weight(store.id) ?? 0);
  }
}

function coolest(stores: readonly PlacementStore[], board: WeightBoard): PlacementStore | undefined {
  return stores.reduce<PlacementStore | undefined>((best, store) => {
    const isCooler = best === undefined || (board.weight(store.id) ?? 0) < (board.weight(best.id) ?? 0);
    return isCooler ? store : best;
  }, undefined);
}
