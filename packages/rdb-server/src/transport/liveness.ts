import type { Clock, StoreId } from "@flaredb/rdb-base";
import type { StoreHandle } from "../store/store-handle.ts";

export interface LivenessOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** A Store that was not heard of for this long is silent. */
  readonly storeSilentMs: number;
  /** How often `check` is called. */
  readonly checkIntervalMs: number;
  readonly events: Pick<StoreHandle, "storeSilent" | "storeReturned">;
}

/** More Stores than a cluster has: ids past them are somebody's invention, and are not kept. */
const CONTACTS_MAX_COUNT = 20_000;

interface Contact {
  /** Of the process that was last heard; undefined when none was yet. */
  bootId: bigint | undefined;
  heardMs: number;
  state: "alive" | "silent" | "never heard";
}

/**
 * Which other Stores show signs of life (DESIGN §4). Whatever arrives from a Store counts. A Store that started
 * anew counts as silent for a moment, because it has forgotten what it promised.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  readonly #contacts = new Map<StoreId, Contact>();
  #checkedMs: number;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#checkedMs = options.clock.monotonicMs();
  }

  isAlive(storeId: StoreId): boolean {
    return this.#contacts.get(storeId)?.state === "alive";
  }

  /** The Store exists. It has `storeSilentMs` from now to be heard of; after that it is told silent, once. */
  expect(storeId: StoreId): void {
    if (!this.#contacts.has(storeId)) {
      const heardMs = this.#options.clock.monotonicMs();
      this.#contacts.set(storeId, { bootId: undefined, heardMs, state: "never heard" });
    }
  }

  /** The Store is gone for good. */
  forget(storeId: StoreId): void {
    this.#contacts.delete(storeId);
  }

  /** Something arrived from the Store's process with this boot id. The first time counts as a return too. */
  heard(storeId: StoreId, bootId: bigint): void {
    if (this.#contacts.size < CONTACTS_MAX_COUNT) {
      this.expect(storeId);
    }
    const contact = this.#contacts.get(storeId);
    if (contact === undefined) {
      return;
    }
    contact.heardMs = this.#options.clock.monotonicMs();
    const { events } = this.#options;
    const startedAnew = contact.bootId !== undefined && contact.bootId !== bootId;
    contact.bootId = bootId;
    if (contact.state === "alive" && !startedAnew) {
      return;
    }
    if (contact.state === "alive") {
      events.storeSilent(storeId);
    }
    contact.state = "alive";
    events.storeReturned(storeId);
  }

  /** Finds who fell silent. To be called every `checkIntervalMs`. */
  check(): void {
    const nowMs = this.#options.clock.monotonicMs();
    // While this process itself stood still it heard nobody: that time does not count against the others.
    const stoodStillMs = Math.max(0, nowMs - this.#checkedMs - 2 * this.#options.checkIntervalMs);
    this.#checkedMs = nowMs;
    for (const [storeId, contact] of this.#contacts) {
      contact.heardMs = Math.min(nowMs, contact.heardMs + stoodStillMs);
      if (contact.state !== "silent" && nowMs - contact.heardMs >= this.#options.storeSilentMs) {
        contact.state = "silent";
        this.#options.events.storeSilent(storeId);
      }
    }
  }
}
