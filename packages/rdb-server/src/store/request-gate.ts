import type { StoreId } from "@flaredb/rdb-base";
import { type KvRequest, ReadFrom, type RegionError, type RegionHeader } from "@flaredb/rdb-proto";
import type { Peer } from "../peer/peer.ts";
import { keyOutsideRegion } from "../peer/request-keys.ts";
import { invalidArgument, keyNotInRegion, serverIsBusy, storeNotMatch } from "../peer/responses.ts";
import { isRead } from "../peer/serve-read.ts";

/** Suggested pause for a client of a Region that waits to be taken by its neighbour: it is a matter of rounds. */
const MERGING_BACKOFF_MS = 50;

/** Why a request cannot be for this Store, if so. */
export function headerRefusal(header: RegionHeader | undefined, storeId: StoreId): RegionError | undefined {
  if (header === undefined || header.epoch === undefined) {
    return invalidArgument("header", "RegionRequests.header and its epoch must be set");
  }
  // 0: the sender does not say. A foreign client need not know Store ids.
  if (header.storeId !== 0n && header.storeId !== BigInt(storeId)) {
    return storeNotMatch(header.storeId, storeId);
  }
  return undefined;
}

/** Whether the peer that was asked is to serve the read even if it does not lead. */
export function isFollowerRead(request: KvRequest): boolean {
  return request.readFrom === ReadFrom.FOLLOWER && isRead(request.command);
}

/**
 * Why the peer does not take a request, if so (SPEC M3): it does not lead, the Region changed, or a key is outside.
 * The epoch is checked again at apply, and for reads when they are served.
 */
export function requestRefusal(request: KvRequest, version: number, peer: Peer): RegionError | undefined {
  if (request.command.case === undefined) {
    return invalidArgument("command", "KvRequest.command must be one that this Store knows");
  }
  if (!peer.isLeader && !isFollowerRead(request)) {
    return peer.leaderHint();
  }
  if (version !== peer.region.epoch.version) {
    return peer.epochNotMatch(version);
  }
  if (peer.merge.prepared !== undefined) {
    return serverIsBusy("the Region waits to be merged", MERGING_BACKOFF_MS);
  }
  const outside = keyOutsideRegion(request.command, peer.region);
  return outside === undefined ? undefined : keyNotInRegion(outside, peer.region);
}
