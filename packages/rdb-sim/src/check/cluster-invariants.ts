import {
  type Region,
  type RegionId,
  type Term,
  compareKeys,
  formatKey,
  formatRange,
} from "@flaredb/rdb-base";
import { RegionRecord } from "./region-record.ts";
import { StoreObserver } from "./store-observer.ts";
import type { Violation } from "./violation.ts";

/**
 * What must hold at every moment of a run, whatever goes wrong. Each observation is checked when it is made; what is
 * broken is told at once, by name:
 *
 * - `one leader a term`, `one vote a term`, `terms never fall`
 * - `log matching`, `logs have no holes`, `a conflicting tail is cut`
 * - `committed entries stay`, `committed by a durable majority`, `commit lies in the log`
 * - `applied is durable`, `applies go forward`, `same applied index, same state`
 * - `what is durable stays`, `rows lie in their Regions`
 * - `Regions tile the key space`, `an epoch stands for one Region`, `epochs never go back`
 */
export class ClusterInvariants {
  readonly #onViolation: (violation: Violation) => void;
  readonly #regions = new Map<RegionId, RegionRecord>();
  readonly #stores = new Map<string, StoreObserver>();
  /** As PD's map had them last. */
  readonly #mapped = new Map<RegionId, Region>();

  /** @param onViolation called inside of whatever broke it, so it must not throw */
  constructor(onViolation: (violation: Violation) => void) {
    this.#onViolation = onViolation;
  }

  /** Whoever watches the database of the Store of that name, through all of its starts. */
  store(name: string): StoreObserver {
    let store = this.#stores.get(name);
    if (store === undefined) {
      store = new StoreObserver({
        name,
        report: (violated, message) => this.#tell(violated, message),
        regionOf: (id) => this.#regionOf(id),
      });
      this.#stores.set(name, store);
    }
    return store;
  }

  /** The Store of that name says that it leads the Region. */
  sawLeader(store: string, regionId: RegionId, term: Term): void {
    this.#regionOf(regionId).sawLeader(store, term);
  }

  /** The placement driver's whole map. */
  sawMap(regions: readonly Region[]): void {
    const sorted = regions.toSorted((a, b) => compareKeys(a.startKey, b.startKey));
    let end: Uint8Array | undefined = new Uint8Array(0);
    for (const region of sorted) {
      if (end === undefined || compareKeys(end, region.startKey) !== 0) {
        const before = end === undefined ? "the end of the key space" : `"${formatKey(end)}"`;
        this.#tell(
          "Regions tile the key space",
          `in PD's map Region ${region.id} ${formatRange(region)} follows ${before}`,
        );
      }
      end = region.endKey.length === 0 ? undefined : region.endKey;
      this.#checkMapped(region);
    }
    if (end !== undefined && sorted.length > 0) {
      this.#tell("Regions tile the key space", `PD's map ends at "${formatKey(end)}"`);
    }
  }

  #checkMapped(region: Region): void {
    const before = this.#mapped.get(region.id)?.epoch;
    const { confVer, version } = region.epoch;
    if (before !== undefined && (version < before.version || confVer < before.confVer)) {
      const text = `in PD's map Region ${region.id} goes from ${before.confVer}/${before.version} to ${confVer}/${version}`;
      this.#tell("epochs never go back", text);
    }
    this.#mapped.set(region.id, region);
  }

  #regionOf(id: RegionId): RegionRecord {
    let region = this.#regions.get(id);
    if (region === undefined) {
      region = new RegionRecord(id, (name, message) => this.#tell(name, message));
      this.#regions.set(id, region);
    }
    return region;
  }

  #tell(name: string, message: string): void {
    this.#onViolation({ name, message });
  }
}
