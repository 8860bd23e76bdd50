import type { PeerId } from "@flaredb/rdb-base";
import type { Report } from "./region-record.ts";

/** Where a peer lives. */
interface Life {
  readonly store: string;
  isOver: boolean;
}

/**
 * Every peer there ever was. One lives on one Store, from when it is made until it leaves a tombstone or its Store's
 * disk is gone; what comes after under its id is another history under the same name, which must never be.
 */
export class PeerLives {
  readonly #lives = new Map<PeerId, Life>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  /** The peer is on the Store. */
  saw(id: PeerId, store: string): void {
    const life = this.#lives.get(id);
    if (life === undefined) {
      this.#lives.set(id, { store, isOver: false });
    } else if (life.isOver) {
      this.#report("a removed peer never comes back", `peer ${id} is on ${store}, and was removed for good`);
    } else if (life.store !== store) {
      this.#report("a peer has one history", `peer ${id} is on ${store}, and lives on ${life.store}`);
    }
  }

  /** The Store that the peer lives on; undefined when it lives no more, or was never seen. */
  storeOf(id: PeerId): string | undefined {
    const life = this.#lives.get(id);
    return life === undefined || life.isOver ? undefined : life.store;
  }

  /** Its removal is durable. */
  removed(id: PeerId, store: string): void {
    this.#lives.set(id, { store, isOver: true });
  }

  /** The Store's disk is gone, and with it every peer there. */
  wiped(store: string): void {
    for (const life of this.#lives.values()) {
      life.isOver ||= life.store === store;
    }
  }
}
