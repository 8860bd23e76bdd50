import { type Region, type RegionEpoch, keysEqual } from "@flaredb/rdb-base";

// What merges make of Regions: pure functions of Regions, so that every peer decides
// alike (ADR 11).

/** Why one Region cannot take the other, if so, whatever their epochs are. */
export function mergeProblem(source: Region, target: Region): string | undefined {
  if (source.id === target.id) {
    return `Region ${source.id} cannot take itself`;
  }
  if (!follows(source, target) && !follows(target, source)) {
    return `Region ${source.id} is no neighbour of Region ${target.id}`;
  }
  const changing = [...source.peers, ...target.peers].find(
    ({ role }) => role !== "Voter" && role !== "Learner",
  );
  if (changing !== undefined) {
    return `peer ${changing.id} is in a change of peers that is not over`;
  }
  const [ofSource, ofTarget] = [source, target].map(storeIds);
  return ofSource === ofTarget
    ? undefined
    : `Region ${source.id} is on Stores ${ofSource}, Region ${target.id} on ${ofTarget}`;
}

/** The source once its PrepareMerge is applied: what was proposed before for it comes too late. */
export function preparedRegion(source: Region): Region {
  return withVersion(source, source.epoch.version + 1);
}

/** The source once its merge is rolled back: it serves again, under an epoch of its own. */
export function rolledBackRegion(source: Region): Region {
  return withVersion(source, source.epoch.version + 1);
}

/** The target once it has decided against a merge: past the epoch at which alone it takes the source. */
export function refusedRegion(target: Region): Region {
  return withVersion(target, target.epoch.version + 1);
}

/** The target once it has taken the source, as that stands since its PrepareMerge. */
export function joinedRegion(target: Region, source: Region): Region {
  const [startKey, endKey] = follows(source, target)
    ? [target.startKey, source.endKey]
    : [source.startKey, target.endKey];
  const version = Math.max(target.epoch.version, source.epoch.version) + 1;
  return { ...target, startKey, endKey, epoch: { ...target.epoch, version } };
}

/**
 * Whether the target has passed the epoch at which alone it takes the source. Told by a target that applied its log, or
 * a snapshot that named whom it took, to a source that is still there: then it never will.
 */
export function hasPassed(now: RegionEpoch, expected: RegionEpoch): boolean {
  return now.version > expected.version || now.confVer > expected.confVer;
}

/** Whether `right` begins where `left` ends. */
function follows(right: Region, left: Region): boolean {
  return left.endKey.length > 0 && keysEqual(left.endKey, right.startKey);
}

function storeIds({ peers }: Region): string {
  return peers
    .map(({ storeId }) => storeId)
    .toSorted((a, b) => a - b)
    .join(", ");
}

function withVersion(region: Region, version: number): Region {
  return { ...region, epoch: { ...region.epoch, version } };
}
