import {
  FULL_RANGE,
  type KeyRange,
  type Region,
  type RegionEpoch,
  type RegionId,
  type Term,
  compareKeys,
  epochsEqual,
  formatRange,
  intersectRanges,
  rangesOutside,
  rangesOverlap,
} from "@flaredb/rdb-base";
import { OwnedRanges, RangeIndex } from "./owned-ranges.ts";
import { type RegionSurvey, type SurveyedPeer, hasQuorum, surveysByRegion } from "./surveyed-peer.ts";

/** By how much conf_ver jumps: beyond all changes that the lost Stores may have made and nobody else knows. */
export const CONF_VER_JUMP = 1_000;

/** What a plan is made from. */
export interface RecoveryInput {
  /** Every peer of every Store that is not lost. */
  readonly peers: readonly SurveyedPeer[];
  /** Regions as PD's map has them. */
  readonly knownRegions: readonly Region[];
  /** Those of them that a Store which is not lost leads at this moment. The Stores are not asked all at once. */
  readonly ledRegionIds: ReadonlySet<RegionId>;
}

/** One Region that comes back from one peer. */
export interface RecoveryStep {
  /** Who becomes the only one of the Region. */
  readonly survivor: SurveyedPeer;
  /** What it keeps, in the order of the keys: its whole range, or those parts that no newer Region has. Never empty. */
  readonly pieces: readonly KeyRange[];
  /** Of all pieces from then on. */
  readonly epoch: RegionEpoch;
  /** It waits for a merge that will never be. */
  readonly endsMerge: boolean;
  /** What it has not applied by now counts no more: its version changes. */
  readonly dropsUnapplied: boolean;
  /** No peer of it that survived knows of a greater one. */
  readonly greatestTerm: Term;
  /** Its other peers that survived, and go. */
  readonly droppedPeerCount: number;
}

interface LostRange {
  readonly range: KeyRange;
  /** "" when simply nobody has it. */
  readonly reason: string;
}

interface WaitingRegion {
  readonly regionId: RegionId;
  readonly reason: string;
}

export interface RecoveryPlan {
  /** By Region id. */
  readonly steps: readonly RecoveryStep[];
  /** Of which no usable peer is left. In the order of the keys; no two overlap. */
  readonly lostRanges: readonly LostRange[];
  /** Regions without a quorum that are left alone for now: their state is about to change. */
  readonly waiting: readonly WaitingRegion[];
  readonly healthyRegionCount: number;
  /** Above every version that anybody knows: of pieces, and of Regions that are made anew. */
  readonly topVersion: number;
}

/**
 * What to do about Regions that have lost their quorum. A function of what the Stores and PD know alone; nothing is done
 * with a Region that has a quorum. Of the others the peer with the latest range, and among those the one with the most
 * advanced log, brings the Region back. Ranges are given out by version, as PD's map does: whoever has the greater one
 * saw the later change of the range.
 */
export function planRecovery(input: RecoveryInput): RecoveryPlan {
  const surveys = surveysByRegion(input.peers);
  const healthy = surveys.filter(hasQuorum);
  const scene: Scene = {
    topVersion: 1 + greatestVersion(input),
    healthy: new RangeIndex(healthy.map(({ newest }) => newest.region)),
    healthyById: new Map(healthy.map(({ id, newest }) => [id, newest.region])),
    known: new RangeIndex(input.knownRegions),
    knownById: new Map(input.knownRegions.map((region) => [region.id, region])),
    unusable: surveys.filter(
      (survey) => !hasQuorum(survey) && !survey.peers.some((peer) => isUsable(peer) || peer.isInstalling),
    ),
  };
  const owned = new OwnedRanges();
  // Those that stay as they are have their ranges first.
  healthy.forEach(({ newest }) => owned.take(newest.region));
  const steps: RecoveryStep[] = [];
  const waiting: WaitingRegion[] = [];
  for (const surviving of survivorsByAge(surveys)) {
    const reason = reasonToWait(surviving, scene, input.ledRegionIds);
    const pieces = owned.take(surviving.survivor.region);
    if (reason !== undefined) {
      waiting.push({ regionId: surviving.survey.id, reason });
    } else if (pieces.length > 0) {
      steps.push(stepOf({ ...surviving, pieces }, scene));
    }
  }
  for (const region of input.knownRegions.filter(({ id }) => input.ledRegionIds.has(id))) {
    if (owned.take(region).length > 0) {
      waiting.push({ regionId: region.id, reason: "it is led, and moved while the stores were asked" });
    }
  }
  return {
    steps: steps.toSorted((a, b) => a.survivor.region.id - b.survivor.region.id),
    lostRanges: lostRanges(owned.free(), scene),
    waiting,
    healthyRegionCount: healthy.length,
    topVersion: scene.topVersion,
  };
}

/** The first steps of a plan, so many at most; the Regions of the others wait for the next one. */
export function firstSteps(plan: RecoveryPlan, maxCount: number): RecoveryPlan {
  const left = plan.steps.slice(maxCount).map(({ survivor: { region } }) => ({
    regionId: region.id,
    reason: `one recovery brings back ${maxCount} regions, this one is for the next`,
  }));
  return { ...plan, steps: plan.steps.slice(0, maxCount), waiting: [...plan.waiting, ...left] };
}

/** What a plan looks things up in. */
interface Scene {
  readonly topVersion: number;
  /** Regions with a quorum. */
  readonly healthy: RangeIndex<Region>;
  readonly healthyById: ReadonlyMap<RegionId, Region>;
  /** PD's map. */
  readonly known: RangeIndex<Region>;
  readonly knownById: ReadonlyMap<RegionId, Region>;
  /** Regions without a quorum that no peer can bring back. */
  readonly unusable: readonly RegionSurvey[];
}

interface Surviving {
  readonly survey: RegionSurvey;
  readonly survivor: SurveyedPeer;
}

/** The Regions without a quorum that somebody can bring back, the newest range first. */
function survivorsByAge(surveys: readonly RegionSurvey[]): Surviving[] {
  return surveys
    .filter((survey) => !hasQuorum(survey))
    .flatMap((survey) => {
      // One that is taking a snapshot only makes its Region wait.
      const usable = survey.peers.filter((peer) => isUsable(peer) || peer.isInstalling);
      return usable.length === 0 ? [] : [{ survey, survivor: usable.reduce(better) }];
    })
    .toSorted(
      (a, b) =>
        b.survivor.region.epoch.version - a.survivor.region.epoch.version || a.survey.id - b.survey.id,
    );
}

function isUsable({ isEmpty, isHalted, isDamaged, isInstalling }: SurveyedPeer): boolean {
  return !isEmpty && !isHalted && !isDamaged && !isInstalling;
}

/**
 * Of two logs with the same last term the longer one has all that the other has, and one with a later last term has
 * everything that was committed in the terms before (Raft thesis §3.6). A learner's log is as good as a voter's.
 */
function better(a: SurveyedPeer, b: SurveyedPeer): SurveyedPeer {
  const difference =
    b.region.epoch.version - a.region.epoch.version ||
    b.lastTerm - a.lastTerm ||
    b.lastIndex - a.lastIndex ||
    b.appliedIndex - a.appliedIndex ||
    a.storeId - b.storeId;
  return difference > 0 ? b : a;
}

/** Why a Region that has a survivor is not brought back now; whatever it waits for ends by itself. */
function reasonToWait(
  { survey, survivor: { region, mergeTarget } }: Surviving,
  { healthy, healthyById }: Scene,
  ledRegionIds: ReadonlySet<RegionId>,
): string | undefined {
  if (ledRegionIds.has(survey.id)) {
    return "it is led, and changed while the stores were asked";
  }
  const installing = survey.peers.find(({ isInstalling }) => isInstalling);
  if (installing !== undefined) {
    return `its peer on store ${installing.storeId} is taking a snapshot`;
  }
  const target = mergeTarget === undefined ? undefined : healthyById.get(mergeTarget.id);
  if (target !== undefined && mergeTarget !== undefined && epochsEqual(target.epoch, mergeTarget.epoch)) {
    return `region ${target.id}, which has a quorum, is about to take it in a merge`;
  }
  const behind = healthy.overlapping(region).find(({ epoch }) => epoch.version <= region.epoch.version);
  return behind === undefined
    ? undefined
    : `region ${behind.id}, which has a quorum, has not applied the change that gave it ${formatRange(region)}`;
}

function stepOf(
  { survey, survivor, pieces }: Surviving & { readonly pieces: readonly KeyRange[] },
  scene: Scene,
): RecoveryStep {
  const { region, mergeTarget } = survivor;
  const endsMerge = mergeTarget !== undefined;
  const isWhole = pieces.length === 1 && rangesOutside(region, pieces[0] ?? FULL_RANGE).length === 0;
  const changesVersion = endsMerge || !isWhole || isPassed(region, scene);
  const known = scene.knownById.get(survey.id);
  const others = [...survey.peers.map((peer) => peer.region), ...(known === undefined ? [] : [known])];
  return {
    survivor,
    pieces: isWhole ? [region] : pieces,
    epoch: {
      confVer: Math.max(...others.map(({ epoch }) => epoch.confVer)) + CONF_VER_JUMP,
      version: changesVersion ? scene.topVersion : region.epoch.version,
    },
    endsMerge,
    dropsUnapplied: changesVersion && survivor.lastIndex > survivor.appliedIndex,
    greatestTerm: survey.peers.reduce(
      (greatest, peer) => (peer.term > greatest ? peer.term : greatest),
      survivor.term,
    ),
    droppedPeerCount: survey.peers.length - 1,
  };
}

/** Whether somebody knows a later range of the Region, or of its keys: then it has to become newer than that. */
function isPassed(region: Region, { known, knownById, unusable }: Scene): boolean {
  const { version } = region.epoch;
  return (
    (knownById.get(region.id)?.epoch.version ?? 0) > version ||
    [...known.overlapping(region), ...unusable.map(({ newest }) => newest.region)].some(
      (other) => other.id !== region.id && other.epoch.version >= version && rangesOverlap(other, region),
    )
  );
}

/** What nobody owns; told apart by why the peers that had it cannot be used. */
function lostRanges(free: readonly KeyRange[], { unusable }: Scene): LostRange[] {
  let open = free;
  const lost: LostRange[] = [];
  for (const { id, newest, peers } of unusable.filter((survey) => !survey.newest.isEmpty)) {
    const rest = open.flatMap((range) => rangesOutside(range, newest.region));
    const where = peers.map((peer) => `${peer.isDamaged ? "damaged" : "stopped"} on store ${peer.storeId}`);
    const reason = `region ${id} is ${where.join(", ")}`;
    for (const each of open) {
      const range = intersectRanges(each, newest.region);
      if (range !== undefined) {
        lost.push({ range, reason });
      }
    }
    open = rest;
  }
  lost.push(...open.map((range) => ({ range, reason: "" })));
  return lost.toSorted((a, b) => compareKeys(a.range.startKey, b.range.startKey));
}

function greatestVersion({ peers, knownRegions }: RecoveryInput): number {
  const regions = [...knownRegions, ...peers.map(({ region }) => region)];
  return regions.reduce((greatest, { epoch }) => Math.max(greatest, epoch.version), 0);
}
