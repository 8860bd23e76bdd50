import { RdbError, type Region, epochsEqual } from "@flaredb/rdb-base";
import { type SnapshotHeader, type TransferOrigin, regionFromProto } from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import { decodeSnapshotDescription } from "../peer/snapshot-description.ts";
import type { PeerMessage } from "../store/peer-message.ts";
import type { ReceivedSnapshot } from "../store/ports.ts";
import { decodePeerMessage } from "../transport/raft-codec.ts";
import { isSnapshotId } from "./snapshot-file.ts";

/** What a snapshot's header says, checked. */
export interface IncomingHeader {
  readonly snapshot: ReceivedSnapshot;
  /** The same for all streams of one transfer, and for no other one. */
  readonly origin: string;
  /** Where the stream goes on. */
  readonly firstChunk: number;
}

/** @throws RdbError RDB_INVALID_ARGUMENT, RDB_CLUSTER_MISMATCH or RDB_STORE_NOT_MATCH */
export function checkHeader(header: SnapshotHeader, ident: StoreIdent): IncomingHeader {
  if (header.clusterId !== BigInt(ident.clusterId)) {
    const mismatch = `the snapshot is of cluster ${header.clusterId}, this Store of ${ident.clusterId}`;
    throw new RdbError("RDB_CLUSTER_MISMATCH", mismatch);
  }
  const message = messageOf(header);
  if (
    header.toStoreId !== BigInt(ident.storeId) ||
    message.toPeer.storeId !== ident.storeId ||
    header.fromStoreId !== BigInt(message.fromPeer.storeId)
  ) {
    const meant = `Store ${header.toStoreId}, this is Store ${ident.storeId}`;
    throw new RdbError("RDB_STORE_NOT_MATCH", `the snapshot is for ${meant}`);
  }
  const snapshot = { message, ...describedBy(message, header) };
  return { snapshot, origin: originOf(header.origin), firstChunk: header.firstChunk };
}

export function malformed(problem: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", problem);
}

function originOf(origin: TransferOrigin | undefined): string {
  if (origin === undefined) {
    throw malformed("the snapshot's header is without its origin");
  }
  return `${origin.storeId} ${origin.bootId} ${origin.number}`;
}

function messageOf(header: SnapshotHeader): PeerMessage {
  if (header.message === undefined) {
    throw malformed("the snapshot's header is without its message");
  }
  const decoded = decodePeerMessage(header.message);
  if (!decoded.ok) {
    throw malformed(decoded.problem);
  }
  return decoded.message;
}

function describedBy(
  message: PeerMessage,
  header: SnapshotHeader,
): { readonly snapshotId: string; readonly region: Region } {
  const snapshot = message.payload.kind === "raft" ? message.payload.message.snapshot : undefined;
  if (snapshot === undefined || header.region === undefined) {
    throw malformed("the snapshot's header is without its MsgSnap or its Region");
  }
  const { snapshotId, region } = decodeSnapshotDescription(snapshot.data);
  const streamed = regionFromProto(header.region);
  if (
    region.id !== message.regionId ||
    streamed.id !== region.id ||
    !epochsEqual(streamed.epoch, region.epoch)
  ) {
    throw malformed(`the snapshot describes Region ${region.id}, its header Region ${streamed.id}`);
  }
  if (!isSnapshotId(snapshotId)) {
    throw malformed("the snapshot's id must be 1 to 100 letters, digits, - and _");
  }
  return { snapshotId, region };
}
