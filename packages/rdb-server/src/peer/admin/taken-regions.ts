import type { RegionId } from "@flaredb/rdb-base";

/**
 * Whom a Region has taken once it takes another, latest last, each once: both name the same when one was split off the
 * other. Only the latest are kept (`TAKEN_MAX_COUNT`), and it is not known when each was taken: so what either took last
 * stays, however many the other took.
 *
 * @param own the target's, oldest first
 * @param others the source's, oldest first: whom the source had taken is taken with it
 */
export function joinTaken(
  own: readonly RegionId[],
  others: readonly RegionId[],
  source: RegionId,
): readonly RegionId[] {
  const joined: RegionId[] = [];
  for (let place = Math.max(own.length, others.length); place > 0; place--) {
    for (const taken of [others, own]) {
      const id = taken.at(-place);
      if (id !== undefined && place <= taken.length) {
        joined.push(id);
      }
    }
  }
  joined.push(source);
  // A set keeps the first place of each: seen from the end, the last.
  return [...new Set(joined.toReversed())].toReversed();
}
