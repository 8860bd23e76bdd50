import type { StoreId } from "@flaredb/rdb-base";
import type { StoreView } from "../cluster/cluster-state.ts";
import type { EventHub } from "./event-hub.ts";

/** Tells of Stores that are in another state than when it last looked, as long as somebody wants to know. */
export class StoreWatch {
  readonly #events: EventHub;
  #known: ReadonlyMap<StoreId, string> | undefined;

  constructor(events: EventHub) {
    this.#events = events;
  }

  /** @param views every Store; asked for only when somebody listens */
  look(views: () => readonly StoreView[]): void {
    if (!this.#events.hasReaders) {
      this.#known = undefined;
      return;
    }
    const now = new Map(views().map((view) => [view.store.id, stateOf(view)]));
    const known = this.#known;
    this.#known = now;
    if (known === undefined) {
      return;
    }
    for (const [storeId, state] of now) {
      if (known.get(storeId) !== state) {
        this.#events.emit({ kind: "store", storeId });
      }
    }
  }
}

function stateOf({ store, condition }: StoreView): string {
  const { address, isDraining, evictsLeaders, labels, bootId } = store;
  return JSON.stringify({ condition, address, isDraining, evictsLeaders, labels, bootId: String(bootId) });
}
