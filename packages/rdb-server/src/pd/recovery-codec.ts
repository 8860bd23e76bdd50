import { create } from "@bufbuild/protobuf";
import { peerId, regionId, term } from "@flaredb/rdb-base";
import {
  type PeerSurvey,
  PeerSurveySchema,
  type RecoverRegion as WireOrder,
  type RecoveryResult,
  RecoveryResultSchema,
  epochFromProto,
  epochToProto,
  regionFromProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { AdminOutcome } from "../store/admin-command.ts";
import type { RecoverRegion, SurveyedPeer } from "../store/recover-region.ts";

/** Peers of one page: it stays well below what a message may have. */
const PAGE_MAX_COUNT = 1_000;

/** A survey in the pages that PD takes; the last one says so. */
export function surveyPages(surveyId: bigint, peers: readonly SurveyedPeer[]): PeerSurvey[] {
  const count = Math.max(1, Math.ceil(peers.length / PAGE_MAX_COUNT));
  return Array.from({ length: count }, (_, page) =>
    create(PeerSurveySchema, {
      surveyId,
      peers: peers.slice(page * PAGE_MAX_COUNT, (page + 1) * PAGE_MAX_COUNT).map(peerToProto),
      isLast: page === count - 1,
    }),
  );
}

/** @throws RangeError for a number that is no id; RdbError RDB_INVALID_ARGUMENT for a Region that cannot be read */
export function orderFromProto(order: WireOrder): RecoverRegion {
  return {
    regionId: regionId(order.regionId),
    peerId: peerId(order.peerId),
    epoch: epochFromProto(order.epoch),
    term: term(order.term),
    pieces: order.pieces.map(regionFromProto),
    endsMerge: order.endsMerge,
  };
}

export function resultToProto(
  { recoveryId, regionId: id }: Pick<WireOrder, "recoveryId" | "regionId">,
  outcome: AdminOutcome,
): RecoveryResult {
  const message = outcome.ok ? "" : `${outcome.reason}: ${outcome.message}`;
  const isPassing = !outcome.ok && outcome.reason === "Busy";
  return create(RecoveryResultSchema, { recoveryId, regionId: id, ok: outcome.ok, message, isPassing });
}

function peerToProto(peer: SurveyedPeer) {
  const { region, peerId: id, mergeTarget, isEmpty, isHalted, isDamaged, isInstalling } = peer;
  return {
    ...{ region: regionToProto(region), peerId: BigInt(id), isEmpty, isHalted, isDamaged, isInstalling },
    ...{ term: BigInt(peer.term), lastTerm: BigInt(peer.lastTerm), lastIndex: BigInt(peer.lastIndex) },
    ...{ commitIndex: BigInt(peer.commitIndex), appliedIndex: BigInt(peer.appliedIndex) },
    ...(mergeTarget === undefined
      ? {}
      : { mergeTargetId: BigInt(mergeTarget.id), mergeTargetEpoch: epochToProto(mergeTarget.epoch) }),
  };
}
