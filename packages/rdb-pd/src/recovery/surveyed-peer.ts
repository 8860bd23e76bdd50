import type { Index, Peer, PeerId, Region, RegionEpoch, RegionId, StoreId, Term } from "@flaredb/rdb-base";

/** A peer as its Store has it. */
export interface SurveyedPeer {
  readonly storeId: StoreId;
  readonly peerId: PeerId;
  /** As far as it has applied it; of an empty peer only the id and the peer itself say something. */
  readonly region: Region;
  readonly term: Term;
  /** Of its log's last entry. */
  readonly lastTerm: Term;
  readonly lastIndex: Index;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  /** It waits for its first snapshot. */
  readonly isEmpty: boolean;
  /** It does not run: it votes for nobody. */
  readonly isHalted: boolean;
  /** Its rows were found to be wrong. */
  readonly isDamaged: boolean;
  /** A snapshot is replacing its rows. */
  readonly isInstalling: boolean;
  /** Its PrepareMerge is applied: who is to take it, and at which epoch that one may. */
  readonly mergeTarget: { readonly id: RegionId; readonly epoch: RegionEpoch } | undefined;
}

/** A Region's peers on Stores that answer. Invariant: at least one. */
export interface RegionSurvey {
  readonly id: RegionId;
  readonly peers: readonly SurveyedPeer[];
  /** The one with the latest configuration and range; an empty one only when all are. */
  readonly newest: SurveyedPeer;
}

/** The peers by their Regions, in the order of the ids. */
export function surveysByRegion(peers: readonly SurveyedPeer[]): RegionSurvey[] {
  const groups = Map.groupBy(peers, ({ region }) => region.id);
  return [...groups]
    .map(([id, group]) => ({ id, peers: group, newest: group.reduce(newer) }))
    .toSorted((a, b) => a.id - b.id);
}

/** Both numbers of an epoch only rise along one log. */
function newer(a: SurveyedPeer, b: SurveyedPeer): SurveyedPeer {
  if (a.isEmpty !== b.isEmpty) {
    return a.isEmpty ? b : a;
  }
  const [x, y] = [a.region.epoch, b.region.epoch];
  return y.version > x.version || (y.version === x.version && y.confVer > x.confVer) ? b : a;
}

/** Regions whose peers, with their epochs and merges, are the same in two surveys. */
export function unchangedRegions(
  first: readonly SurveyedPeer[],
  second: readonly SurveyedPeer[],
): ReadonlySet<RegionId> {
  const before = new Map(surveysByRegion(first).map((survey) => [survey.id, describe(survey)]));
  const same = surveysByRegion(second).filter((survey) => before.get(survey.id) === describe(survey));
  return new Set(same.map(({ id }) => id));
}

function describe({ peers }: RegionSurvey): string {
  const each = peers.map(({ peerId, storeId, region: { epoch }, isEmpty, isHalted, mergeTarget }) =>
    [peerId, storeId, epoch.confVer, epoch.version, isEmpty, isHalted, mergeTarget?.id].join(),
  );
  return each.toSorted().join(" ");
}

/**
 * Whether more than half of the voters of the latest configuration are there and can vote; in a joint one, of both its
 * halves (Raft thesis §4.3). A damaged peer votes and acknowledges as any other. Who knows of no voter knows of no quorum.
 */
export function hasQuorum({ newest, peers }: RegionSurvey): boolean {
  if (newest.isEmpty) {
    return false;
  }
  const canVote = (peer: Peer): boolean =>
    peers.some(({ peerId, isHalted }) => peerId === peer.id && !isHalted);
  const halves = [
    newest.region.peers.filter(({ role }) => role === "Voter" || role === "DemotingVoter"),
    newest.region.peers.filter(({ role }) => role === "Voter" || role === "IncomingVoter"),
  ];
  return halves.every((voters) => voters.filter(canVote).length * 2 > voters.length);
}
