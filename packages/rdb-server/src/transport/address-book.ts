import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Logger, type StoreId, storeId } from "@flaredb/rdb-base";
import { type Store, StoreListSchema, StoreState } from "@flaredb/rdb-proto";
import { type Engine, WritePart } from "@flaredb/rdb-storage";
import { parseAddress } from "@flaredb/rdb-wire";

const STORES_KEY = new TextEncoder().encode("stores");

/**
 * Where the other Stores answer, as PD said last. Kept in the engine's `meta`, so that a Store reaches its peers
 * while PD is away.
 */
export class AddressBook {
  readonly #engine: Pick<Engine, "get" | "submit">;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #addresses = new Map<StoreId, string>();

  constructor(engine: Pick<Engine, "get" | "submit">, logger: Logger) {
    this.#engine = engine;
    this.#logger = logger;
    const stored = engine.get("meta", STORES_KEY);
    if (stored !== undefined) {
      this.#addresses = this.#readable(fromBinary(StoreListSchema, stored).stores);
    }
  }

  /** host:port; undefined when the Store is not known, or gone for good. */
  addressOf(id: StoreId): string | undefined {
    return this.#addresses.get(id);
  }

  /** Every Store that is not gone for good, with its host:port. */
  entries(): ReadonlyMap<StoreId, string> {
    return this.#addresses;
  }

  /** Takes PD's list for the truth and keeps it. Listeners hear of it only when an address changed. */
  update(stores: readonly Store[]): void {
    const addresses = this.#readable(stores);
    if (sameEntries(addresses, this.#addresses)) {
      return;
    }
    this.#addresses = addresses;
    const part = new WritePart();
    part.put("meta", STORES_KEY, toBinary(StoreListSchema, create(StoreListSchema, { stores: [...stores] })));
    // Without sync: PD says it again at the next start.
    this.#engine.submit(part);
    for (const listener of this.#listeners) {
      listener();
    }
  }

  /** @returns how to stop listening */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #readable(stores: readonly Store[]): Map<StoreId, string> {
    const addresses = new Map<StoreId, string>();
    for (const store of stores) {
      if (store.state === StoreState.TOMBSTONE) {
        continue;
      }
      try {
        parseAddress(store.address);
        addresses.set(storeId(store.id), store.address);
      } catch (error) {
        // One entry that cannot be used must not keep the others from being known.
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.warn({ store: String(store.id), reason }, "address of a Store cannot be used");
      }
    }
    return addresses;
  }
}

function sameEntries(a: ReadonlyMap<StoreId, string>, b: ReadonlyMap<StoreId, string>): boolean {
  return a.size === b.size && [...a].every(([id, address]) => b.get(id) === address);
}
