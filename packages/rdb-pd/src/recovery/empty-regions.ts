import { type KeyRange, type StoreId, assert, rangesOverlap } from "@flaredb/rdb-base";
import type { SurveyedPeer } from "./surveyed-peer.ts";

/** Where an empty Region is to begin. */
export interface EmptyPlace {
  readonly range: KeyRange;
  readonly storeId: StoreId;
}

/**
 * A Store for each range: one that has nothing of its keys where there is such a one, as a Store refuses a peer over the
 * keys of another; then one that was given fewer.
 *
 * @param storeIds those that live; at least one
 */
export function placeEmptyRegions(
  ranges: readonly KeyRange[],
  storeIds: readonly StoreId[],
  peers: readonly SurveyedPeer[],
): EmptyPlace[] {
  const claims = peers.filter(({ isEmpty }) => !isEmpty);
  const given = new Map<StoreId, number>();
  return ranges.map((range) => {
    const taken = new Set(
      claims.filter(({ region }) => rangesOverlap(region, range)).map(({ storeId }) => storeId),
    );
    const [best] = storeIds.toSorted(
      (a, b) =>
        Number(taken.has(a)) - Number(taken.has(b)) || (given.get(a) ?? 0) - (given.get(b) ?? 0) || a - b,
    );
    assert(best !== undefined, "a recovery is planned while some Store lives");
    given.set(best, (given.get(best) ?? 0) + 1);
    return { range, storeId: best };
  });
}
