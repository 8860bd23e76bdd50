import { type KeyRange, type Logger, compareKeys, formatRange } from "@flaredb/rdb-base";
import { type Engine, type RegionLocalState, listRegions } from "@flaredb/rdb-storage";

/**
 * Deletes rows of `data` that lie in no Region of the Store. A crash can leave such: what deletes a range is a step of
 * its own behind the part that gives the range up (a snapshot of a Region that was split meanwhile, a split whose new
 * Region has no peer here). Nobody can reach them, as whoever comes to own a range empties it first; but nobody would
 * delete them either. Only before the loop runs, when no Region can come or grow. A crash in the middle is made good by
 * the next start. Looks at one row of each gap between Regions, so it costs the more the more Regions there are, and
 * nothing for the rows that they have.
 *
 * @returns how many gaps had rows
 */
export async function sweepOrphans({
  engine,
  logger,
}: {
  readonly engine: Engine;
  readonly logger: Logger;
}): Promise<number> {
  const held = (await listRegions(engine)).filter(mayHaveRows).map(({ region }) => region);
  let foundCount = 0;
  for (const gap of gapsBetween(held)) {
    if (await hasRows(engine, gap)) {
      foundCount++;
      engine.deleteRange("data", gap);
      logger.warn({ range: formatRange(gap) }, "rows of no Region are deleted: a crash had left them");
    }
  }
  return foundCount;
}

/** What of the key space is in none of the ranges, in the order of the keys. Ranges may overlap. */
export function gapsBetween(ranges: readonly KeyRange[]): KeyRange[] {
  const gaps: KeyRange[] = [];
  let from: Uint8Array = new Uint8Array(0);
  for (const { startKey, endKey } of ranges.toSorted((a, b) => compareKeys(a.startKey, b.startKey))) {
    if (compareKeys(from, startKey) < 0) {
      gaps.push({ startKey: from, endKey: startKey });
    }
    if (endKey.length === 0) {
      return gaps;
    }
    from = compareKeys(from, endKey) < 0 ? endKey : from;
  }
  return [...gaps, { startKey: from, endKey: new Uint8Array(0) }];
}

/** Whatever is not surely without rows keeps its range, an unfinished removal too. */
function mayHaveRows({ state }: RegionLocalState): boolean {
  return state !== "Tombstone" && state !== "Uninitialised";
}

async function hasRows(engine: Engine, range: KeyRange): Promise<boolean> {
  const cursor = engine.openCursor("data", range, { keysOnly: true });
  try {
    return (await cursor.next(1, 1)).rows.length > 0;
  } finally {
    cursor.close();
  }
}
