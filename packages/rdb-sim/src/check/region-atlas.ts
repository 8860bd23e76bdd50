import {
  type KeyRange,
  type PeerId,
  type Region,
  type RegionId,
  compareEndKeys,
  compareKeys,
  formatRange,
  keysEqual,
  rangeContains,
  rangesOverlap,
} from "@flaredb/rdb-base";
import type { ApplyState } from "@flaredb/rdb-storage";
import type { Descent, Joining } from "./lineage.ts";
import type { Report } from "./region-record.ts";

/** A Region as one part found it and left it, on one Store. */
export interface RegionStep {
  /** Undefined: the part made it. */
  readonly before: Region | undefined;
  /** Undefined: nothing was applied yet. */
  readonly applied: ApplyState | undefined;
  readonly after: Region;
  readonly appliedAfter: ApplyState | undefined;
  /** The part says how far a merge of the Region is, too. */
  readonly changesMerge?: boolean;
}

/** How one Store's peers stand around a part. */
export interface PeersAround {
  /** How far the peer of a Region is, before the part. */
  applied(id: RegionId): ApplyState | undefined;
  /** Which writes of clients the peer remembers, after the part: the same text, the same writes. */
  memory(id: RegionId): string;
}

/** A peer that a part destroys. */
export interface Departure {
  readonly peerId: PeerId;
  /** As the part names it. */
  readonly region: Region;
}

const TILE = "Regions tile the key space";

/** The Regions at their newest committed epochs, and how each came to be: what any Store applied first. */
export class RegionAtlas {
  readonly #newest = new Map<RegionId, Region>();
  /** Taken by others in a merge. */
  readonly #gone = new Set<RegionId>();
  readonly #descents = new Map<RegionId, Descent>();
  readonly #joinings = new Map<RegionId, Joining>();
  readonly #report: Report;
  /** Splits and merges so far. */
  #changeCount = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  get descents(): readonly Descent[] {
    return [...this.#descents.values()];
  }

  get joinings(): readonly Joining[] {
    return [...this.#joinings.values()];
  }

  /** The newest of every Region that there is. */
  get regions(): readonly Region[] {
    return [...this.#newest.values()];
  }

  /** What one part made of Regions. */
  sawPart(by: string, steps: readonly RegionStep[], peers: PeersAround): void {
    const made = steps.filter(
      ({ before, appliedAfter }) => before === undefined && appliedAfter !== undefined,
    );
    for (const step of steps) {
      const { before, after } = step;
      if (before !== undefined && !isSameRange(before, after)) {
        if (rangeContains(before, after)) {
          this.#sawSplit(by, step, { made, peers });
        } else {
          this.#sawMerge(by, step, peers);
        }
      }
      if (step.changesMerge === true && before !== undefined && after.epoch.version <= before.epoch.version) {
        const text = `a merge of it begins or ends at version ${after.epoch.version}, and it had that before`;
        this.#tell(by, "epochs rise with each change", after, text);
      }
    }
    const newer = steps.map(({ after }) => after).filter((region) => this.#take(region));
    newer.forEach((region) => this.#checkOverlap(by, region));
  }

  /**
   * A peer begins to go for good, in a part that `sawPart` was told of. Somebody has applied that its Region has it no
   * more, or is no more: what one Store believes or PD does not know is no evidence (DESIGN §5, Removed peers).
   */
  sawDeparture(by: string, { peerId, region }: Departure): void {
    const known = this.#newest.get(region.id);
    const isListed = known?.peers.some(({ id }) => id === peerId) === true;
    if (known !== undefined && isListed && known.epoch.confVer >= region.epoch.confVer) {
      const text = `peer ${peerId} goes at epoch ${epochText(region)}, and the Region of epoch ${epochText(known)} has it`;
      this.#tell(by, "a peer goes when its Region lets it", region, text);
    }
  }

  /** Whether all that is known tiles the key space, in words if not. */
  tilingProblem(): string | undefined {
    const sorted = [...this.#newest.values()].toSorted((a, b) => compareKeys(a.startKey, b.startKey));
    return tilingProblem(sorted);
  }

  /** The Region shrank: what it lost are the new Regions of the part, which go on from where it was. */
  #sawSplit(
    by: string,
    { before, after, appliedAfter }: RegionStep,
    { made, peers }: { readonly made: readonly RegionStep[]; readonly peers: PeersAround },
  ): void {
    if (before === undefined) {
      return;
    }
    const children = made.filter((child) => rangeContains(before, child.after));
    for (const { after: child, appliedAfter: state } of children) {
      const { revision = 0, logTimeMs } = appliedAfter ?? {};
      if (state?.revision !== revision || state.logTimeMs !== logTimeMs) {
        const was = `${revision} at log time ${logTimeMs}`;
        this.#tell(
          by,
          "a new Region goes on from its parent",
          child,
          `revision ${state?.revision} at log time ${state?.logTimeMs}, and the parent's is ${was}`,
        );
      }
      if (child.epoch.version !== after.epoch.version || child.epoch.confVer !== after.epoch.confVer) {
        const text = `epoch ${epochText(child)}, and its parent ${epochText(after)}`;
        this.#tell(by, "a new Region goes on from its parent", child, text);
      }
      if (storesOf(child) !== storesOf(after)) {
        const text = `peers on ${storesOf(child)}, and its parent on ${storesOf(after)}`;
        this.#tell(by, "a new Region goes on from its parent", child, text);
      }
      if (peers.memory(child.id) !== peers.memory(after.id)) {
        const text = `it remembers writes of ${peers.memory(child.id)}, and its parent of ${peers.memory(after.id)}`;
        this.#tell(by, "a new Region goes on from its parent", child, text);
      }
      const known = this.#descents.get(child.id);
      const order = known?.order ?? this.#changeCount++;
      const descent: Descent = { regionId: child.id, parentId: after.id, revision, order, ...spanOf(child) };
      if (known !== undefined && JSON.stringify(known) !== JSON.stringify(descent)) {
        this.#tell(
          by,
          "a Region is split off once",
          child,
          `${JSON.stringify(descent)}, and ${JSON.stringify(known)} before`,
        );
      }
      this.#descents.set(child.id, known ?? descent);
    }
    if (after.epoch.version <= before.epoch.version) {
      this.#tell(
        by,
        "epochs rise with each change",
        after,
        `its range shrinks from ${formatRange(before)} at version ${after.epoch.version}`,
      );
    }
  }

  /** The Region grew: it took the whole of neighbours, which are no more. */
  #sawMerge(by: string, { before, applied, after, appliedAfter }: RegionStep, peers: PeersAround): void {
    if (before === undefined || this.#isOld(after)) {
      return;
    }
    for (const source of [...this.#newest.values()]) {
      if (source.id === after.id || !rangeContains(after, source) || this.#joinings.has(source.id)) {
        continue;
      }
      if (source.epoch.version >= after.epoch.version) {
        this.#tell(
          by,
          "epochs rise with each change",
          after,
          `it takes Region ${source.id} of version ${source.epoch.version}`,
        );
      }
      const taken = peers.applied(source.id);
      if (isBehind(appliedAfter, taken)) {
        const text = `revision ${appliedAfter?.revision} at log time ${appliedAfter?.logTimeMs}, and Region ${source.id}, which it takes, is at ${taken?.revision} and ${taken?.logTimeMs}`;
        this.#tell(by, "a Region goes on from those it takes", after, text);
      }
      this.#gone.add(source.id);
      this.#newest.delete(source.id);
      this.#joinings.set(source.id, {
        regionId: after.id,
        sourceId: source.id,
        before: applied?.revision ?? 0,
        revision: appliedAfter?.revision ?? applied?.revision ?? 0,
        sourceRevision: taken?.revision ?? 0,
        order: this.#changeCount++,
        ...spanOf(source),
      });
    }
  }

  #isOld({ id, epoch }: Region): boolean {
    const known = this.#newest.get(id)?.epoch;
    return known !== undefined && known.version >= epoch.version && known.confVer >= epoch.confVer;
  }

  #take(region: Region): boolean {
    if (this.#isOld(region) || this.#gone.has(region.id)) {
      return false;
    }
    this.#newest.set(region.id, region);
    return true;
  }

  #checkOverlap(by: string, region: Region): void {
    for (const other of this.#newest.values()) {
      if (other.id !== region.id && rangesOverlap(other, region)) {
        const text = `at version ${region.epoch.version} it overlaps Region ${other.id} ${formatRange(other)} of version ${other.epoch.version}`;
        this.#tell(by, TILE, region, text);
      }
    }
  }

  #tell(by: string, name: string, region: Region, text: string): void {
    this.#report(name, `Region ${region.id} ${formatRange(region)} on ${by}: ${text}`);
  }
}

/** Where Regions, sorted by their keys, leave a gap or overlap, in words. */
export function tilingProblem(sorted: readonly Region[]): string | undefined {
  let end: Uint8Array | undefined = new Uint8Array(0);
  for (const region of sorted) {
    if (end === undefined || !keysEqual(end, region.startKey)) {
      const before = end === undefined ? "the end of the key space" : `"${Buffer.from(end).toString()}"`;
      return `Region ${region.id} ${formatRange(region)} follows ${before}`;
    }
    end = region.endKey.length === 0 ? undefined : region.endKey;
  }
  return end === undefined || sorted.length === 0
    ? undefined
    : `they end at "${Buffer.from(end).toString()}"`;
}

function isBehind(state: ApplyState | undefined, other: ApplyState | undefined): boolean {
  return (
    state !== undefined &&
    other !== undefined &&
    (state.revision < other.revision || state.logTimeMs < other.logTimeMs)
  );
}

function isSameRange(a: KeyRange, b: KeyRange): boolean {
  return keysEqual(a.startKey, b.startKey) && compareEndKeys(a.endKey, b.endKey) === 0;
}

function spanOf({ startKey, endKey }: KeyRange): { readonly from: string; readonly to: string } {
  return { from: Buffer.from(startKey).toString(), to: Buffer.from(endKey).toString() };
}

function epochText({ epoch }: Region): string {
  return `${epoch.confVer}/${epoch.version}`;
}

function storesOf({ peers }: Region): string {
  return peers
    .map(({ storeId, role }) => `${storeId} ${role}`)
    .toSorted()
    .join(", ");
}
