import { type Peer, type Region, type RegionEpoch, type StoreId, assert } from "@flaredb/rdb-base";
import { BackwardWriter, VARINT_MAX_BYTES } from "@flaredb/rdb-proto";
import type { ConfState, Entry, Message, Snapshot } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../store/peer-message.ts";
import { entryTypeNumbers, hibernateStepNumbers, messageTypeNumbers, roleNumbers } from "./raft-enums.ts";

/** What stands before the messages of a RaftServiceBatchRequest. Ids are safe integers. */
export interface BatchHeader {
  readonly clusterId: number;
  readonly fromStoreId: StoreId;
  readonly toStoreId: StoreId;
  readonly bootId: number;
}

// Upper bounds. A field of a number takes a tag of one byte and a varint; a nested message, a tag and a length.
const NUMBER_FIELD_BYTES = 1 + VARINT_MAX_BYTES;
const ENTRY_OVERHEAD_BYTES = 5 * NUMBER_FIELD_BYTES;
/** The envelope with its two peers and the epoch, and the message without what has a length of its own. */
const MESSAGE_OVERHEAD_BYTES = 32 * NUMBER_FIELD_BYTES;
const PEER_MAX_BYTES = 4 * NUMBER_FIELD_BYTES;
const BATCH_HEADER_BYTES = 4 * NUMBER_FIELD_BYTES;

/** At most this many bytes does the message take in a batch; seldom more than 300 above the entries' own. */
export function peerMessageMaxBytes(message: PeerMessage): number {
  let bytes = MESSAGE_OVERHEAD_BYTES;
  if (message.range !== undefined) {
    bytes += message.range.startKey.length + message.range.endKey.length;
  }
  if (message.payload.kind === "raft") {
    bytes += raftMessageMaxBytes(message.payload.message);
  } else if (message.payload.kind === "replicaHash") {
    bytes += message.payload.report.hash.length;
  } else if (message.payload.kind === "merged") {
    const { startKey, endKey, peers } = message.payload.into;
    bytes += startKey.length + endKey.length + (peers.length + 2) * PEER_MAX_BYTES;
  }
  return bytes;
}

function raftMessageMaxBytes(message: Message): number {
  let bytes = message.context?.length ?? 0;
  for (const entry of message.entries) {
    bytes += ENTRY_OVERHEAD_BYTES + entry.data.length;
  }
  if (message.snapshot !== undefined) {
    const { voters, learners, votersOutgoing, learnersNext } = message.snapshot.metadata.confState;
    const peerCount = voters.length + learners.length + votersOutgoing.length + learnersNext.length;
    bytes += message.snapshot.data.length + peerCount * VARINT_MAX_BYTES + 12 * NUMBER_FIELD_BYTES;
  }
  return bytes;
}

/**
 * A proto RaftServiceBatchRequest's bytes, straight from the core's messages: the generated code copies an entry at
 * each level of nesting. No messages: a sign of life.
 */
export function encodeRaftBatch(header: BatchHeader, messages: readonly PeerMessage[]): Uint8Array {
  let capacity = BATCH_HEADER_BYTES;
  for (const message of messages) {
    capacity += peerMessageMaxBytes(message);
  }
  const writer = new BackwardWriter(capacity);
  for (let i = messages.length - 1; i >= 0; i--) {
    const before = writer.writtenBytes;
    writePeerMessage(writer, messages[i] as PeerMessage);
    writer.message(5, before);
  }
  writer.number(4, header.bootId);
  writer.number(3, header.toStoreId);
  writer.number(2, header.fromStoreId);
  writer.number(1, header.clusterId);
  return writer.finish();
}

/** A proto RaftMessage's bytes. */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const writer = new BackwardWriter(peerMessageMaxBytes(message));
  writePeerMessage(writer, message);
  return writer.finish();
}

function writePeerMessage(writer: BackwardWriter, message: PeerMessage): void {
  const payloadStart = writer.writtenBytes;
  const { payload } = message;
  switch (payload.kind) {
    case "hibernate":
      writer.number(3, payload.commit);
      writer.number(2, payload.term);
      writer.number(1, hibernateStepNumbers[payload.step]);
      writer.message(10, payloadStart);
      break;
    case "tombstone":
      writeEpoch(writer, 9, payload.epoch);
      break;
    case "replicaHash":
      writer.bool(4, payload.report.isHalted);
      writer.bool(3, payload.report.isDamaged);
      writer.bytes(2, payload.report.hash);
      writer.number(1, payload.report.index);
      writer.message(12, payloadStart);
      break;
    case "merged":
      writeRegion(writer, 11, payload.into);
      break;
    case "askMerge":
      writer.bool(5, payload.question.givesUp);
      writer.number(4, payload.question.keeper);
      writer.number(3, payload.question.prepareIndex);
      writeEpoch(writer, 2, payload.question.target.epoch);
      writer.number(1, payload.question.target.id);
      writer.message(13, payloadStart);
      break;
    case "mergeRefused":
      writer.number(1, payload.prepareIndex);
      writer.message(14, payloadStart);
      break;
    case "raft":
      assert(
        payload.message.from === message.fromPeer.id && payload.message.to === message.toPeer.id,
        "a message's from and to are those of its envelope",
      );
      writeRaftMessage(writer, payload.message);
      writer.message(8, payloadStart);
      break;
  }
  if (message.range !== undefined) {
    writer.bool(7, true);
    writer.bytes(6, message.range.endKey);
    writer.bytes(5, message.range.startKey);
  }
  writeEpoch(writer, 4, message.epoch);
  writePeer(writer, 3, message.toPeer);
  writePeer(writer, 2, message.fromPeer);
  writer.number(1, message.regionId);
}

function writeRaftMessage(writer: BackwardWriter, message: Message): void {
  const type = messageTypeNumbers[message.type];
  assert(type !== undefined, "a message that leaves the Store is none of the core's local ones");
  if (message.snapshot !== undefined) {
    writeSnapshot(writer, 10, message.snapshot);
  }
  if (message.context !== undefined) {
    writer.bytes(9, message.context);
  }
  writer.number(8, message.rejectHint);
  writer.bool(7, message.reject);
  writer.number(6, message.commit);
  for (let i = message.entries.length - 1; i >= 0; i--) {
    writeEntry(writer, 5, message.entries[i] as Entry);
  }
  writer.number(4, message.index);
  writer.number(3, message.logTerm);
  writer.number(2, message.term);
  writer.number(1, type);
}

function writeEntry(writer: BackwardWriter, field: number, entry: Entry): void {
  const before = writer.writtenBytes;
  writer.bytes(4, entry.data);
  writer.number(3, entry.index);
  writer.number(2, entry.term);
  writer.number(1, entryTypeNumbers[entry.type]);
  writer.message(field, before);
}

function writeSnapshot(writer: BackwardWriter, field: number, snapshot: Snapshot): void {
  const snapshotStart = writer.writtenBytes;
  writer.bytes(2, snapshot.data);
  const metadataStart = writer.writtenBytes;
  writer.number(3, snapshot.metadata.term);
  writer.number(2, snapshot.metadata.index);
  writeConfState(writer, 1, snapshot.metadata.confState);
  writer.message(1, metadataStart);
  writer.message(field, snapshotStart);
}

function writeConfState(writer: BackwardWriter, field: number, confState: ConfState): void {
  const before = writer.writtenBytes;
  writer.bool(5, confState.autoLeave);
  writer.packedNumbers(4, confState.learnersNext);
  writer.packedNumbers(3, confState.votersOutgoing);
  writer.packedNumbers(2, confState.learners);
  writer.packedNumbers(1, confState.voters);
  writer.message(field, before);
}

function writeRegion(writer: BackwardWriter, field: number, region: Region): void {
  const before = writer.writtenBytes;
  for (const peer of region.peers.toReversed()) {
    writePeer(writer, 5, peer);
  }
  writeEpoch(writer, 4, region.epoch);
  writer.bytes(3, region.endKey);
  writer.bytes(2, region.startKey);
  writer.number(1, region.id);
  writer.message(field, before);
}

function writePeer(writer: BackwardWriter, field: number, peer: Peer): void {
  const before = writer.writtenBytes;
  writer.number(3, roleNumbers[peer.role]);
  writer.number(2, peer.storeId);
  writer.number(1, peer.id);
  writer.message(field, before);
}

function writeEpoch(writer: BackwardWriter, field: number, epoch: RegionEpoch): void {
  const before = writer.writtenBytes;
  writer.number(2, epoch.version);
  writer.number(1, epoch.confVer);
  writer.message(field, before);
}
