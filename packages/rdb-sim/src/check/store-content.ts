import { type KeyRange, type RegionId, compareEndKeys, compareKeys, keyInRange } from "@flaredb/rdb-base";
import { parseIndexedKey, regionKeyRange } from "@flaredb/rdb-storage";
import { EMPTY_HASH, hashOf, withElement, withoutElement } from "./hash.ts";

/** Columns whose rows are a Region's content. */
export type ContentColumn = "data" | "session";

/**
 * The rows that a Store's Regions hold, as a hash of each Region's set of rows that is kept with every write. Two peers
 * with the same rows have the same hash, whatever way they came to them.
 */
export class StoreContent {
  readonly #rows: Record<ContentColumn, Map<string, number>> = { data: new Map(), session: new Map() };
  /** Regions with their ranges of `data`, and the hash of their rows. */
  readonly #regions = new Map<RegionId, { range: KeyRange; hash: number }>();
  /** Regions whose peer is being destroyed: their keys may be another's already. */
  readonly #leaving = new Set<RegionId>();

  /** The Region is here, with this range; what there is of it counts. */
  setRegion(id: RegionId, range: KeyRange): void {
    this.#leaving.delete(id);
    const known = this.#regions.get(id);
    const isSame =
      known !== undefined &&
      compareKeys(known.range.startKey, range.startKey) === 0 &&
      compareEndKeys(known.range.endKey, range.endKey) === 0;
    if (!isSame) {
      this.#regions.set(id, {
        range,
        hash: this.#hashIn("data", range, this.#hashIn("session", regionKeyRange(id))),
      });
    }
  }

  /** Its rows go; those that lie in another Region, which has its keys now, go from that one. */
  leaveRegion(id: RegionId): void {
    this.#leaving.add(id);
  }

  removeRegion(id: RegionId): void {
    this.#regions.delete(id);
    this.#leaving.delete(id);
  }

  hashOf(id: RegionId): number {
    return this.#regions.get(id)?.hash ?? EMPTY_HASH;
  }

  /** The entries whose writes are remembered for clients of the Region, in one text. */
  sessionEntries(id: RegionId): string {
    const own = regionKeyRange(id);
    return [...this.#rows.session.keys()]
      .map(keyOf)
      .filter((key) => keyInRange(key, own))
      .map((key) => parseIndexedKey(key).index)
      .toSorted((a, b) => a - b)
      .join(", ");
  }

  /** The Region that the row belongs to; undefined when there is none. */
  regionOf(column: ContentColumn, key: Uint8Array): RegionId | undefined {
    let leaving: RegionId | undefined;
    for (const [id, { range }] of this.#regions) {
      if (keyInRange(key, column === "data" ? range : regionKeyRange(id))) {
        if (!this.#leaving.has(id)) {
          return id;
        }
        leaving = id;
      }
    }
    return leaving;
  }

  /** `value` undefined deletes. @returns the row's Region, and the hash of the write */
  write(
    column: ContentColumn,
    key: Uint8Array,
    value: Uint8Array | undefined,
  ): { readonly regionId: RegionId | undefined; readonly hash: number } {
    const id = this.regionOf(column, key);
    const region = id === undefined ? undefined : this.#regions.get(id);
    const rows = this.#rows[column];
    const text = textOf(key);
    const before = rows.get(text);
    if (before !== undefined) {
      rows.delete(text);
      if (region !== undefined) {
        region.hash = withoutElement(region.hash, before);
      }
    }
    const hash = value === undefined ? hashOf(key) : hashOf(key, value);
    if (value !== undefined) {
      rows.set(text, hash);
      if (region !== undefined) {
        region.hash = withElement(region.hash, hash);
      }
    }
    return { regionId: id, hash };
  }

  deleteRange(column: ContentColumn, range: KeyRange): void {
    for (const text of [...this.#rows[column].keys()]) {
      const key = keyOf(text);
      if (keyInRange(key, range)) {
        this.write(column, key, undefined);
      }
    }
  }

  #hashIn(column: ContentColumn, range: KeyRange, from: number = EMPTY_HASH): number {
    let hash = from;
    for (const [text, row] of this.#rows[column]) {
      if (keyInRange(keyOf(text), range)) {
        hash = withElement(hash, row);
      }
    }
    return hash;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}

function keyOf(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
