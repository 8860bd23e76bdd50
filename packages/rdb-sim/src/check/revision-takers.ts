import type { ReadFact, WriteFact } from "./facts.ts";
import type { Lineage } from "./lineage.ts";
import type { Problem } from "./revision-problem.ts";
import type { RevisionFloors } from "./revision-floors.ts";
import { GAPS_MAX_COUNT, type Gap, type UnknownWrites } from "./unknown-writes.ts";

/** Which write took each revision of each Region: no two took one, and somebody took each. */
export class RevisionTakers {
  readonly #lineage: Lineage;
  readonly #unknown: UnknownWrites;
  readonly #byRegion = new Map<number, Map<number, WriteFact>>();

  constructor(lineage: Lineage, unknown: UnknownWrites) {
    this.#lineage = lineage;
    this.#unknown = unknown;
  }

  /** An acknowledged write. */
  take(write: WriteFact): Problem | undefined {
    const { regionId, revision } = write;
    const other = this.#of(regionId).get(revision);
    this.#of(regionId).set(revision, write);
    return other === undefined
      ? undefined
      : {
          name: "revision taken twice",
          text: `two writes took revision ${revision} of Region ${regionId}`,
          calls: [other.call, write.call],
        };
  }

  /**
   * A row tells which write made it. Called when all acknowledged ones are known.
   *
   * @returns that write when it was never acknowledged and not known before; or what is wrong with it
   */
  learn(
    { call, key, regionId: readIn, revision }: ReadFact,
    row: { readonly value: string; readonly version: number },
  ): { readonly learned?: WriteFact; readonly problem?: Problem } {
    if (row.version > revision) {
      const text = `"${key}" has version ${row.version} in Region ${readIn} at revision ${revision}`;
      return { problem: { name: "version ahead of its revision", text, calls: [call] } };
    }
    const gap = {
      regionId: this.#lineage.homeOf({ regionId: readIn, revision, key }, row.version),
      revision: row.version,
    };
    const place = `revision ${gap.revision} of Region ${gap.regionId}`;
    const taker = this.#of(gap.regionId).get(gap.revision);
    if (taker !== undefined) {
      const text = `${place} was another write than "${key}"="${row.value}"`;
      const isSame = taker.key === key && taker.value === row.value;
      return isSame ? {} : { problem: { name: "version of another write", text, calls: [taker.call, call] } };
    }
    const learned: WriteFact = { call, key, value: row.value, ...gap };
    this.#of(gap.regionId).set(gap.revision, learned);
    if (this.#unknown.mayPut(gap, key, row.value)) {
      return { learned };
    }
    const text = `nobody can have written "${key}"="${row.value}" at ${place}`;
    return { learned, problem: { name: "write that nobody asked for", text, calls: [call] } };
  }

  /**
   * Revisions behind `from` up to `to`, on the way of a key of the Region, that no write is known to have taken;
   * ascending.
   */
  gapsBetween(regionId: number, key: string, from: number, to: number): Gap[] {
    const gaps: Gap[][] = [];
    for (const stretch of this.#lineage.stretches(regionId, to, key)) {
      gaps.push(this.#ownGaps(stretch.regionId, Math.max(from, stretch.from), stretch.revision));
      if (stretch.from <= from) {
        break;
      }
    }
    return gaps.reverse().flat();
  }

  /** Of those that the Region itself counted. */
  #ownGaps(regionId: number, from: number, to: number): Gap[] {
    const gaps: Gap[] = [];
    const taken = this.#of(regionId);
    for (let revision = from + 1; revision <= to; revision++) {
      if (!taken.has(revision) && this.#lineage.counted(regionId, revision)) {
        gaps.push({ regionId, revision });
      }
    }
    return gaps;
  }

  /** Revisions up to the highest that was shown, which some write must have taken although none is known to have. */
  checkGaps(floors: RevisionFloors): Problem | undefined {
    const gaps = floors.regionIds.flatMap((regionId) =>
      this.#ownGaps(regionId, this.#lineage.firstRevision(regionId), floors.highest(regionId)),
    );
    // Writes that rows told of are explained like gaps: one unknown mutation each.
    const gap = this.#unknown.firstUnexplained([...this.#learned(), ...gaps.slice(0, GAPS_MAX_COUNT)]);
    return (
      gap && {
        name: "write that nobody asked for",
        text: `revision ${gap.revision} of Region ${gap.regionId} was taken, and by no write of the history`,
        calls: [],
      }
    );
  }

  *#learned(): Generator<Gap & { readonly key: string; readonly value: string | undefined }> {
    for (const byRevision of this.#byRegion.values()) {
      for (const write of byRevision.values()) {
        if (write.call.op === "get" || write.call.op === "batchGet" || write.call.op === "scan") {
          yield write;
        }
      }
    }
  }

  #of(regionId: number): Map<number, WriteFact> {
    const known = this.#byRegion.get(regionId) ?? new Map<number, WriteFact>();
    this.#byRegion.set(regionId, known);
    return known;
  }
}
