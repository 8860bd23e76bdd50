import { keyIsBetween } from "./history.ts";

/** A change of ranges, with its keys as text: `to` empty has no end. */
interface Span {
  readonly from: string;
  readonly to: string;
  /** Rises from change to change: between two of them nothing may have been written. */
  readonly order: number;
}

/** A Region that was split off another one: it goes on counting where that one was. */
export interface Descent extends Span {
  readonly regionId: number;
  readonly parentId: number;
  /** The parent's revision at the split: what is at or below it, the two have in common. */
  readonly revision: number;
}

/** A Region that took the range of another one, which is no more (a merge). */
export interface Joining extends Span {
  readonly regionId: number;
  readonly sourceId: number;
  /** The Region's revision just before. From there up to `revision` nobody wrote anything. */
  readonly before: number;
  /** With it: the greater of the two. */
  readonly revision: number;
  /** The last one of the source. */
  readonly sourceRevision: number;
}

/** Revisions of one Region that count for a key: behind `from`, up to `revision`. */
export interface Stretch {
  readonly regionId: number;
  readonly from: number;
  readonly revision: number;
}

/** A look at a key in a Region. */
export interface KeyAt {
  readonly regionId: number;
  readonly revision: number;
  readonly key: string;
}

/** Most Regions that are followed back: a split of a split and so on. */
const GENERATIONS_MAX_COUNT = 1_000;

/**
 * Where each Region came from. Without any descents, every Region began empty at revision 0. Along the way of one key
 * revisions only rise: through splits, which hand them on, and merges, which take the greater.
 */
export class Lineage {
  readonly #descents = new Map<number, Descent>();
  readonly #children = new Map<number, Descent[]>();
  readonly #joinings = new Map<number, Joining[]>();
  readonly #joined = new Map<number, Joining>();

  constructor(descents: readonly Descent[] = [], joinings: readonly Joining[] = []) {
    for (const descent of descents) {
      this.#descents.set(descent.regionId, descent);
      this.#children.set(descent.parentId, [...(this.#children.get(descent.parentId) ?? []), descent]);
    }
    for (const joining of joinings.toSorted((a, b) => b.order - a.order)) {
      this.#joinings.set(joining.regionId, [...(this.#joinings.get(joining.regionId) ?? []), joining]);
      this.#joined.set(joining.sourceId, joining);
    }
  }

  /** Whether the Region has anything from another one. */
  hasOrigins(regionId: number): boolean {
    return this.#descents.has(regionId) || this.#joinings.has(regionId);
  }

  /** The revision that the Region began with. */
  firstRevision(regionId: number): number {
    return this.#descents.get(regionId)?.revision ?? 0;
  }

  /** Whether the Region itself counted the revision: it did neither begin with it nor leap over it in a merge. */
  counted(regionId: number, revision: number): boolean {
    const joinings = this.#joinings.get(regionId) ?? [];
    const isLeap = joinings.some((joining) => revision > joining.before && revision <= joining.revision);
    return revision > this.firstRevision(regionId) && !isLeap;
  }

  /** The Region, those that it came from and those that it took: all that may tell of its keys. */
  origins(regionId: number): readonly number[] {
    const found = new Set<number>();
    const waiting = [regionId];
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (!found.has(id)) {
        found.add(id);
        const parent = this.#descents.get(id)?.parentId;
        waiting.push(...(parent === undefined ? [] : [parent]));
        waiting.push(...(this.#joinings.get(id) ?? []).map(({ sourceId }) => sourceId));
      }
    }
    return [...found];
  }

  /** The way of a key back from a look at the Region at `revision`, newest first. */
  *stretches(regionId: number, revision: number, key: string): Generator<Stretch, void, undefined> {
    let at = { regionId, revision, order: Number.POSITIVE_INFINITY };
    for (let generation = 0; generation < GENERATIONS_MAX_COUNT; generation++) {
      const joining = this.#joinings
        .get(at.regionId)
        ?.find(
          ({ from, to, revision: since, order }) =>
            order < at.order && since <= at.revision && keyIsBetween(key, from, to),
        );
      if (joining !== undefined) {
        yield { regionId: at.regionId, revision: at.revision, from: joining.revision };
        const { sourceId, sourceRevision, order } = joining;
        at = { regionId: sourceId, revision: sourceRevision, order };
        continue;
      }
      const descent = this.#descents.get(at.regionId);
      yield { regionId: at.regionId, revision: at.revision, from: descent?.revision ?? 0 };
      if (descent === undefined) {
        return;
      }
      const { parentId, order } = descent;
      at = { regionId: parentId, revision: Math.min(at.revision, descent.revision), order };
    }
    throw new Error(`Region ${regionId} has more than ${GENERATIONS_MAX_COUNT} ancestors`);
  }

  /**
   * The Region that counted a revision of a key: one that was split off did not count what it began with, nor one that
   * took another what it got with it.
   *
   * @param version a half behind a revision stands for what the Region was at it, which may be how it began or ended
   */
  homeOf({ regionId, revision, key }: KeyAt, version: number): number {
    let home = regionId;
    for (const stretch of this.stretches(regionId, revision, key)) {
      if (Math.floor(version) > stretch.revision) {
        // In between a merge leapt.
        return home;
      }
      home = stretch.regionId;
      if (version > stretch.from) {
        return home;
      }
    }
    return home;
  }

  /**
   * Whether the key was the Region's at the revision: it was not split off before, nor merged away, nor taken only
   * later.
   */
  owned(regionId: number, revision: number, key: string): boolean {
    const covers = (span: Span): boolean => keyIsBetween(key, span.from, span.to);
    const descent = this.#descents.get(regionId);
    const gains = (this.#joinings.get(regionId) ?? []).filter(covers).map((joining) => joining.revision);
    const losses = (this.#children.get(regionId) ?? []).filter(covers).map((child) => child.revision);
    const end = this.#joined.get(regionId)?.sourceRevision ?? Number.POSITIVE_INFINITY;
    const isFromStart = descent === undefined ? gains.length === 0 || losses.length > 0 : covers(descent);
    if (revision > end) {
      return false;
    }
    const lastLoss = Math.max(...losses.filter((lost) => lost < revision), -1);
    const lastGain = Math.max(...gains.filter((gained) => gained <= revision), isFromStart ? 0 : -1);
    return lastGain >= 0 && lastGain >= lastLoss;
  }
}
