import { MiB } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import type { RuledOut } from "../decision.ts";
import { isolationScore, sharedPlace } from "../filter/location.ts";
import { firstReason, passes } from "../filter/store-filter.ts";
import { alive, hasPeer, newPeerFilters } from "../filter/store-filters.ts";
import type { PlacementStore, PlacementView } from "../placement-view.ts";
import { storeLimits } from "../store-limits.ts";
import { StoreWeights } from "../store-weights.ts";
import { WeightyHeat } from "./heat.ts";
import { WeightBoard } from "./weight-board.ts";

/** Stores that are tried for one move before it is given up for this time. */
const MAX_GIVERS = 16;

/** Who bears how much and who may take more, while moves are planned. */
export class RegionScene {
  readonly view: PlacementView;
  readonly #weights: StoreWeights;
  readonly #board: WeightBoard;
  readonly #toleratedGap: number;
  readonly #hot: WeightyHeat;
  /** Peers that each Store may still be promised in this scene. */
  readonly #room = new Map<PlacementStore, number>();

  constructor(view: PlacementView) {
    this.view = view;
    const stores = view.stores();
    this.#weights = new StoreWeights(stores);
    const present = stores.filter((store) => passes(store, alive));
    this.#board = new WeightBoard(present, (store) => this.#weights.ofStore(store));
    this.#hot = new WeightyHeat(view);
    this.#toleratedGap = this.#board.mean * view.config.tolerance;
    const filters = newPeerFilters(view.config);
    for (const store of present) {
      if (passes(store, filters)) {
        this.#room.set(store, storeLimits(view.config, store.id).addLimit);
      }
    }
  }

  isHot(info: RegionInfo): boolean {
    return this.#hot.has(info);
  }

  weight(store: PlacementStore): number {
    return this.#board.weight(store.id) ?? 0;
  }

  /** Stores that are further above one that could take from them than is tolerated, the heaviest first. */
  givers(): PlacementStore[] {
    const ascending = this.#board.ascending();
    const takers = ascending.filter((store) => this.#mayTake(store));
    const lightest = new Map<string, PlacementStore>();
    for (const store of takers) {
      const place = this.#widestPlace(store);
      lightest.set(place, lightest.get(place) ?? store);
    }
    // Where there are no more places than peers, a peer can only go to another Store of the same place.
    const isBound = lightest.size <= this.view.replicaCount && lightest.size > 1;
    const takerFor = (store: PlacementStore): PlacementStore | undefined =>
      isBound ? lightest.get(this.#widestPlace(store)) : takers[0];
    return ascending
      .filter((store) => {
        const taker = takerFor(store);
        return taker !== undefined && this.#gap(store, taker) > this.#toleratedGap;
      })
      .slice(-MAX_GIVERS)
      .reverse();
  }

  /** The lightest Store that may take the peer, is as far from those that stay, and is better off even with it. */
  targetFor(
    info: RegionInfo,
    from: PlacementStore,
    staying: readonly PlacementStore[],
  ): PlacementStore | undefined {
    const labels = this.view.config.locationLabels;
    const isolation = isolationScore(from, staying, labels);
    for (const store of this.#board.ascending()) {
      if (this.#gap(from, store) <= this.#toleratedGap) {
        return undefined;
      }
      const isFree = store.id !== from.id && !staying.some(({ id }) => id === store.id);
      if (
        isFree &&
        this.#mayTake(store) &&
        this.#betters(info, from, store) &&
        isolationScore(store, staying, labels) >= isolation
      ) {
        return store;
      }
    }
    return undefined;
  }

  /** Why each Store is not the target, as far as it is not. */
  refusals(info: RegionInfo, from: PlacementStore, staying: readonly PlacementStore[]): RuledOut[] {
    const labels = this.view.config.locationLabels;
    const isolation = isolationScore(from, staying, labels);
    const filters = [hasPeer(info.region), ...newPeerFilters(this.view.config)];
    return this.view.stores().flatMap((store): RuledOut[] => {
      const filtered = firstReason(store, filters);
      if (filtered !== undefined) {
        return [filtered];
      }
      const shared = sharedPlace(store, staying, labels);
      if (isolationScore(store, staying, labels) < isolation) {
        const filter = shared === undefined ? "location" : `same-${shared.label}`;
        const reason =
          shared === undefined
            ? "it is nearer to the other peers"
            : `it shares ${shared.label} ${shared.value} with store ${shared.other.id}`;
        return [{ storeId: store.id, filter, reason }];
      }
      return this.#betters(info, from, store)
        ? []
        : [
            {
              storeId: store.id,
              filter: "balanced",
              reason: `a move betters nothing: ${this.describeStore(store)}`,
            },
          ];
    });
  }

  moved(info: RegionInfo, from: PlacementStore, to: PlacementStore): void {
    this.#board.shift(from.id, -this.#weights.ofRegion(info, from));
    this.#board.shift(to.id, this.#weights.ofRegion(info, to));
    this.#room.set(to, (this.#room.get(to) ?? 0) - 1);
  }

  describe(): string {
    const ascending = this.#board.ascending();
    const [lightest, heaviest] = [ascending[0], ascending.at(-1)];
    return lightest === undefined || heaviest === undefined
      ? "no store is up"
      : `lightest ${this.describeStore(lightest)}; heaviest ${this.describeStore(heaviest)}`;
  }

  describeStore(store: PlacementStore): string {
    const count = store.regionCount + store.plannedRegionCount;
    const sizeMiB = Math.round((store.regionSizeBytes + store.plannedSizeBytes) / MiB);
    return `store ${store.id} has ${count} regions, ${sizeMiB} MiB`;
  }

  #widestPlace({ labels }: PlacementStore): string {
    const [widest] = this.view.config.locationLabels;
    return widest === undefined ? "" : (labels[widest] ?? "");
  }

  #mayTake(store: PlacementStore): boolean {
    return (this.#room.get(store) ?? 0) > 0;
  }

  /** Whether the move leaves `to` no heavier than `from`: then nothing speaks for the way back. */
  #betters(info: RegionInfo, from: PlacementStore, to: PlacementStore): boolean {
    const gapAfter =
      this.#gap(from, to) - this.#weights.ofRegion(info, from) - this.#weights.ofRegion(info, to);
    return this.#gap(from, to) > this.#toleratedGap && gapAfter >= 0;
  }

  #gap(from: PlacementStore, to: PlacementStore): number {
    return this.weight(from) - this.weight(to);
  }
}
