/** A Region that was split off another one: it goes on counting where that one was. */
export interface Descent {
  readonly regionId: number;
  readonly parentId: number;
  /** The parent's revision at the split: what is at or below it, the two have in common. */
  readonly revision: number;
}

/** Most generations that are followed back: a split of a split and so on. */
const GENERATIONS_MAX_COUNT = 1_000;

/** Which Region each one came from. Without any descents, every Region began empty at revision 0. */
export class Lineage {
  readonly #descents = new Map<number, Descent>();

  constructor(descents: readonly Descent[] = []) {
    for (const descent of descents) {
      this.#descents.set(descent.regionId, descent);
    }
  }

  /** Whether the Region was split off another one. */
  hasParent(regionId: number): boolean {
    return this.#descents.has(regionId);
  }

  /** The revision that the Region began with. */
  firstRevision(regionId: number): number {
    return this.#descents.get(regionId)?.revision ?? 0;
  }

  /**
   * The Region and those it came from, nearest first, each with the last of its revisions that counts for a look at
   * `revision`.
   */
  *stretches(
    regionId: number,
    revision: number,
  ): Generator<{ readonly regionId: number; readonly revision: number }, void, undefined> {
    let at = { regionId, revision };
    for (let generation = 0; generation < GENERATIONS_MAX_COUNT; generation++) {
      yield at;
      const descent = this.#descents.get(at.regionId);
      if (descent === undefined) {
        return;
      }
      at = { regionId: descent.parentId, revision: Math.min(at.revision, descent.revision) };
    }
    throw new Error(`Region ${regionId} has more than ${GENERATIONS_MAX_COUNT} ancestors`);
  }
}
