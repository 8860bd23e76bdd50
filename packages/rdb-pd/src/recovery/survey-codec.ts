import { type StoreId, index, peerById, peerId, regionId, term } from "@flaredb/rdb-base";
import { type SurveyedPeer as WirePeer, epochFromProto, regionFromProto } from "@flaredb/rdb-proto";
import { fromWire, invalid } from "../rpc/from-wire.ts";
import type { SurveyedPeer } from "./surveyed-peer.ts";

/** @throws RdbError RDB_INVALID_ARGUMENT for a peer without its Region, or that its Region does not have on the Store */
export function peerFromProto(storeId: StoreId, peer: WirePeer): SurveyedPeer {
  return fromWire(() => {
    if (peer.region === undefined) {
      throw invalid("survey", `of store ${storeId} holds a peer without its region`);
    }
    const region = regionFromProto(peer.region);
    const id = peerId(peer.peerId);
    if (peerById(region, id)?.storeId !== storeId) {
      throw invalid(
        "survey",
        `of store ${storeId} holds peer ${id}, which region ${region.id} has not there`,
      );
    }
    const { isEmpty, isHalted, isDamaged, isInstalling, mergeTargetId } = peer;
    return {
      ...{ storeId, region, peerId: id, isEmpty, isHalted, isDamaged, isInstalling },
      ...{ term: term(peer.term), lastTerm: term(peer.lastTerm), lastIndex: index(peer.lastIndex) },
      ...{ commitIndex: index(peer.commitIndex), appliedIndex: index(peer.appliedIndex) },
      mergeTarget:
        mergeTargetId === 0n
          ? undefined
          : { id: regionId(mergeTargetId), epoch: epochFromProto(peer.mergeTargetEpoch) },
    };
  });
}
