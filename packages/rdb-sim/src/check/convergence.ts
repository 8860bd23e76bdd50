import { type Region, type RegionId, compareKeys, formatKey, keyInRange } from "@flaredb/rdb-base";
import { type ApplyState, type Row, type RegionLocalState, regionKeyRange } from "@flaredb/rdb-storage";
import { decodeOp } from "@flaredb/rdb-storage/testing";
import type { DiskContent } from "./store-observer.ts";
import type { Violation } from "./violation.ts";

/** A Store's disk, with everything that was submitted written. */
export interface StoreDiskContent {
  /** For people. */
  readonly name: string;
  readonly content: DiskContent;
}

/** One Region on one disk. */
interface Held {
  readonly name: string;
  readonly region: Region;
  readonly applied: ApplyState | undefined;
  readonly rows: { readonly data: readonly Row[]; readonly session: readonly Row[] };
}

/**
 * At the end of a run, healed and at rest: whether all peers of each Region have applied the same entries and have the
 * same bytes in `data` and `session`, and no Store has rows outside of its Regions.
 *
 * @returns the first difference of each Region
 */
export function checkConvergence(stores: readonly StoreDiskContent[]): Violation[] {
  const byRegion = new Map<RegionId, Held[]>();
  const violations: Violation[] = [];
  for (const store of stores) {
    const { held, strays } = regionsOn(store);
    for (const one of held) {
      byRegion.set(one.region.id, [...(byRegion.get(one.region.id) ?? []), one]);
    }
    if (strays.length > 0) {
      const text = `${store.name} has ${strays.length} rows outside of its Regions, the first is ${strays[0]}`;
      violations.push({ name: "rows lie in their Regions", message: text });
    }
  }
  for (const [id, peers] of byRegion) {
    const difference = firstDifference(peers);
    if (difference !== undefined) {
      violations.push({ name: "peers converge", message: `Region ${id}: ${difference}` });
    }
  }
  return violations;
}

function regionsOn({ name, content }: StoreDiskContent): {
  readonly held: readonly Held[];
  readonly strays: readonly string[];
} {
  const locals: RegionLocalState[] = [];
  const applied = new Map<RegionId, ApplyState>();
  for (const row of content.rows("region")) {
    const op = decodeOp({ column: "region", ...row });
    if (op.kind === "localState" && op.value !== undefined && op.value.state !== "Tombstone") {
      locals.push(op.value);
    } else if (op.kind === "applyState" && op.value !== undefined) {
      applied.set(op.regionId, op.value);
    }
  }
  const data = [...content.rows("data")];
  const session = [...content.rows("session")];
  const held = locals.map(({ region }) => ({
    name,
    region,
    applied: applied.get(region.id),
    rows: {
      data: data.filter(({ key }) => keyInRange(key, region)),
      session: session.filter(({ key }) => keyInRange(key, regionKeyRange(region.id))),
    },
  }));
  const isHeld = (key: Uint8Array): boolean => locals.some(({ region }) => keyInRange(key, region));
  return { held, strays: data.filter(({ key }) => !isHeld(key)).map(({ key }) => `"${formatKey(key)}"`) };
}

function firstDifference([first, ...others]: readonly Held[]): string | undefined {
  if (first === undefined) {
    return undefined;
  }
  for (const other of others) {
    const pair = `${first.name} and ${other.name}`;
    const [a, b] = [describeApplied(first.applied), describeApplied(other.applied)];
    if (a !== b) {
      return `${pair} stand at ${a} and ${b}`;
    }
    for (const column of ["data", "session"] as const) {
      const key = firstDifferentKey(first.rows[column], other.rows[column]);
      if (key !== undefined) {
        return `${pair} differ in ${column} at "${formatKey(key)}"`;
      }
    }
  }
  const missing = first.region.peers.length - 1 - others.length;
  return missing === 0
    ? undefined
    : `${first.region.peers.length} peers are wanted, ${others.length + 1} are there`;
}

function firstDifferentKey(a: readonly Row[], b: readonly Row[]): Uint8Array | undefined {
  const count = Math.max(a.length, b.length);
  for (let place = 0; place < count; place++) {
    const [one, other] = [a[place], b[place]];
    if (one === undefined || other === undefined) {
      return (one ?? other)?.key;
    }
    if (compareKeys(one.key, other.key) !== 0 || compareKeys(one.value, other.value) !== 0) {
      return compareKeys(one.key, other.key) <= 0 ? one.key : other.key;
    }
  }
  return undefined;
}

function describeApplied(state: ApplyState | undefined): string {
  return state === undefined
    ? "nothing applied"
    : `index ${state.index} of term ${state.term}, revision ${state.revision}, log time ${state.logTimeMs}`;
}
