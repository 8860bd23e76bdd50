import type { Index, PeerId, Region, RegionEpoch, RegionId, Term } from "@flaredb/rdb-base";

/** A peer here, as PD has to know it to bring back Regions that lost their quorum. */
export interface SurveyedPeer {
  readonly region: Region;
  readonly peerId: PeerId;
  readonly term: Term;
  /** Of its log's last entry. */
  readonly lastTerm: Term;
  readonly lastIndex: Index;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly isEmpty: boolean;
  readonly isHalted: boolean;
  readonly isDamaged: boolean;
  readonly isInstalling: boolean;
  /** Its PrepareMerge is applied: who is to take it, at which epoch. */
  readonly mergeTarget: { readonly id: RegionId; readonly epoch: RegionEpoch } | undefined;
}

/** PD's order to make the peer here the only one of its Region, whose quorum is lost. */
export interface RecoverRegion {
  readonly regionId: RegionId;
  readonly peerId: PeerId;
  /** Refused at another one: the plan was made for this. */
  readonly epoch: RegionEpoch;
  /** The least term that it goes on with. */
  readonly term: Term;
  /** What becomes of it, the Region itself first, in the order of the keys. Each has the peer here alone. */
  readonly pieces: readonly Region[];
  /** It waits for a merge that will never be. */
  readonly endsMerge: boolean;
}
