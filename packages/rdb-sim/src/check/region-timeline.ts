import { firstPlace } from "./first-place.ts";
import type { Call } from "./history.ts";
import type { Lineage } from "./lineage.ts";

/** What a key became at a revision. */
export interface KeyEvent {
  readonly regionId: number;
  readonly revision: number;
  /** Undefined: deleted. */
  readonly value: string | undefined;
  /** The call that did it, or that showed it. */
  readonly call: Call;
}

/** Everything that is known to have happened to the keys of all Regions, by revision. */
export class RegionTimeline {
  readonly #lineage: Lineage;
  readonly #events = new Map<number, Map<string, KeyEvent[]>>();
  readonly #keys = new Map<number, readonly string[]>();
  #isSorted = true;

  constructor(lineage: Lineage) {
    this.#lineage = lineage;
  }

  add(key: string, event: KeyEvent): void {
    const byKey = this.#events.get(event.regionId) ?? new Map<string, KeyEvent[]>();
    const events = byKey.get(key) ?? [];
    events.push(event);
    byKey.set(key, events);
    this.#events.set(event.regionId, byKey);
    this.#isSorted = false;
  }

  /** The last event of the key at or below the revision, in the Region or those it came from. */
  lastEvent(regionId: number, revision: number, key: string): KeyEvent | undefined {
    this.#sort();
    const own = lastAtOrBelow(this.#events.get(regionId)?.get(key), revision);
    if (!this.#lineage.hasOrigins(regionId)) {
      return own;
    }
    for (const stretch of this.#lineage.stretches(regionId, revision, key)) {
      const found = lastAtOrBelow(this.#events.get(stretch.regionId)?.get(key), stretch.revision);
      if (found !== undefined && found.revision > stretch.from) {
        return found;
      }
    }
    return undefined;
  }

  /** Keys of `[from, to)` that have events in the Region or those it came from, ascending. `to` empty: no end. */
  keysBetween(regionId: number, from: string, to: string): readonly string[] {
    const keys = this.#keysOf(regionId);
    return keys.slice(lowerBound(keys, from), to === "" ? keys.length : lowerBound(keys, to));
  }

  #keysOf(regionId: number): readonly string[] {
    let keys = this.#keys.get(regionId);
    if (keys === undefined) {
      const all = new Set<string>();
      for (const origin of this.#lineage.origins(regionId)) {
        for (const key of this.#events.get(origin)?.keys() ?? []) {
          all.add(key);
        }
      }
      keys = [...all].sort();
      this.#keys.set(regionId, keys);
    }
    return keys;
  }

  #sort(): void {
    if (!this.#isSorted) {
      this.#isSorted = true;
      this.#keys.clear();
      for (const byKey of this.#events.values()) {
        for (const events of byKey.values()) {
          events.sort((a, b) => a.revision - b.revision);
        }
      }
    }
  }
}

function lastAtOrBelow(events: readonly KeyEvent[] | undefined, revision: number): KeyEvent | undefined {
  if (events === undefined) {
    return undefined;
  }
  const after = firstPlace(events.length, (place) => (events[place] as KeyEvent).revision > revision);
  return events[after - 1];
}

function lowerBound(keys: readonly string[], key: string): number {
  return firstPlace(keys.length, (place) => (keys[place] as string) >= key);
}
