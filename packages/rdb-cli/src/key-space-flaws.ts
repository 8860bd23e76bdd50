import { compareKeys } from "@flaredb/rdb-base";
import type { RegionRoute } from "@flaredb/rdb-proto";

/** Keys that no Region holds, or that two do. An empty end key: to the end of the key space. */
export interface KeySpaceFlaw {
  readonly kind: "hole" | "overlap";
  readonly startKey: Uint8Array;
  readonly endKey: Uint8Array;
  /** undefined: the key space begins there. */
  readonly leftRegionId: bigint | undefined;
  /** undefined: the key space ends there. */
  readonly rightRegionId: bigint | undefined;
}

/** How far the Regions looked at so far reach. `isLast`: an empty end key is the end of the key space. */
interface Edge {
  readonly regionId: bigint | undefined;
  readonly endKey: Uint8Array;
  readonly isLast: boolean;
}

/** Where Regions, in the order of their start keys, do not tile the key space. */
export function keySpaceFlaws(routes: readonly RegionRoute[]): KeySpaceFlaw[] {
  const flaws: KeySpaceFlaw[] = [];
  let left: Edge = { regionId: undefined, endKey: new Uint8Array(), isLast: false };
  for (const { region } of routes) {
    if (region === undefined) {
      continue;
    }
    const { id, startKey, endKey } = region;
    const order = left.isLast ? 1 : compareKeys(left.endKey, startKey);
    const ids = { leftRegionId: left.regionId, rightRegionId: id };
    if (order < 0) {
      flaws.push({ kind: "hole", startKey: left.endKey, endKey: startKey, ...ids });
    } else if (order > 0) {
      flaws.push({ kind: "overlap", startKey, endKey: left.endKey, ...ids });
    }
    const edge = { regionId: id, endKey, isLast: endKey.length === 0 };
    left = reachesFurther(edge, left) ? edge : left;
  }
  const atEnd = { startKey: left.endKey, endKey: new Uint8Array() };
  const ids = { leftRegionId: left.regionId, rightRegionId: undefined };
  return left.isLast ? flaws : [...flaws, { kind: "hole", ...atEnd, ...ids }];
}

/** One that lies within the range of one before it does not end that range. */
function reachesFurther(edge: Edge, other: Edge): boolean {
  return !other.isLast && (edge.isLast || compareKeys(edge.endKey, other.endKey) > 0);
}
