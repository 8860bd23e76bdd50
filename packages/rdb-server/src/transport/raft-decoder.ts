import { fromBinary } from "@bufbuild/protobuf";
import {
  type Index,
  type Peer,
  type PeerId,
  type RegionEpoch,
  type RegionId,
  type StoreId,
  type Term,
  limits,
} from "@flaredb/rdb-base";
import { ProtoReader, RaftMessageSchema, RaftServiceBatchRequestSchema, protoTag } from "@flaredb/rdb-proto";
import type { Entry, Message } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../store/peer-message.ts";
import { type Decoded, decodeStreamedMessage } from "./raft-codec.ts";
import { entryTypes, messageTypes, roles } from "./raft-enums.ts";

/** A RaftServiceBatchRequest. */
export interface RaftBatch {
  readonly clusterId: bigint;
  readonly fromStoreId: bigint;
  readonly toStoreId: bigint;
  readonly bootId: bigint;
  readonly messages: readonly Decoded[];
}

/** Field numbers as tags; see proto/rdb/v1/raft_service.proto and raftpb.proto. */
const batchTags = {
  cluster: protoTag.varint(1),
  from: protoTag.varint(2),
  to: protoTag.varint(3),
  boot: protoTag.varint(4),
  message: protoTag.bytes(5),
};
const envelopeTags = {
  ...{ region: protoTag.varint(1), from: protoTag.bytes(2), to: protoTag.bytes(3), epoch: protoTag.bytes(4) },
  ...{
    startKey: protoTag.bytes(5),
    endKey: protoTag.bytes(6),
    hasRange: protoTag.varint(7),
    message: protoTag.bytes(8),
  },
};
const messageTags = {
  ...{
    type: protoTag.varint(1),
    term: protoTag.varint(2),
    logTerm: protoTag.varint(3),
    index: protoTag.varint(4),
    entry: protoTag.bytes(5),
  },
  ...{
    commit: protoTag.varint(6),
    reject: protoTag.varint(7),
    rejectHint: protoTag.varint(8),
    context: protoTag.bytes(9),
  },
};
const entryTags = {
  type: protoTag.varint(1),
  term: protoTag.varint(2),
  index: protoTag.varint(3),
  data: protoTag.bytes(4),
};
const peerTags = { id: protoTag.varint(1), storeId: protoTag.varint(2), role: protoTag.varint(3) };
const epochTags = { confVer: protoTag.varint(1), version: protoTag.varint(2) };

/** Two peers, the epoch and the message. */
const NESTED_COUNT = 4;
const NO_BYTES = new Uint8Array(0);
const NO_RESPONSES: readonly Message[] = [];

/**
 * Decodes a batch of another Store's messages. Those of the hot path are read straight into the core's form, where the
 * generated code makes an object and a bigint at each step; everything else, and what is not of the form, takes the way
 * over the generated code, which says what is wrong. Bytes are views of `bytes`.
 *
 * @throws Error when the bytes are no protobuf of the schema
 */
export function decodeRaftBatch(bytes: Uint8Array): RaftBatch {
  const header = { clusterId: 0, fromStoreId: 0, toStoreId: 0, bootId: 0 };
  const messages: Decoded[] = [];
  const reader = new ProtoReader(bytes);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case batchTags.cluster:
        header.clusterId = reader.number();
        break;
      case batchTags.from:
        header.fromStoreId = reader.number();
        break;
      case batchTags.to:
        header.toStoreId = reader.number();
        break;
      case batchTags.boot:
        header.bootId = reader.number();
        break;
      case batchTags.message:
        messages.push(decodeOne(reader.bytes()));
        break;
      default:
        reader.odd();
    }
  }
  if (reader.isOdd) {
    return slowly(bytes);
  }
  const { clusterId, fromStoreId, toStoreId, bootId } = header;
  return {
    clusterId: BigInt(clusterId),
    fromStoreId: BigInt(fromStoreId),
    toStoreId: BigInt(toStoreId),
    bootId: BigInt(bootId),
    messages,
  };
}

function slowly(bytes: Uint8Array): RaftBatch {
  const batch = fromBinary(RaftServiceBatchRequestSchema, bytes);
  const { clusterId, fromStoreId, toStoreId, bootId } = batch;
  return { clusterId, fromStoreId, toStoreId, bootId, messages: batch.messages.map(decodeStreamedMessage) };
}

function decodeOne(bytes: Uint8Array): Decoded {
  const message = readPeerMessage(new ProtoReader(bytes));
  return message === undefined
    ? decodeStreamedMessage(fromBinary(RaftMessageSchema, bytes))
    : { ok: true, message };
}

/** Undefined: not one of the hot path, or not of the form. */
function readPeerMessage(reader: ProtoReader): PeerMessage | undefined {
  let region = 0;
  let fromPeer: Peer | undefined;
  let toPeer: Peer | undefined;
  let epoch: RegionEpoch | undefined;
  let startKey: Uint8Array = NO_BYTES;
  let endKey: Uint8Array = NO_BYTES;
  let hasRange = false;
  let inner: Uint8Array | undefined;
  let nestedCount = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case envelopeTags.region:
        region = reader.number();
        break;
      case envelopeTags.from:
        nestedCount++;
        fromPeer = within(reader, readPeer);
        break;
      case envelopeTags.to:
        nestedCount++;
        toPeer = within(reader, readPeer);
        break;
      case envelopeTags.epoch:
        nestedCount++;
        epoch = within(reader, readEpoch);
        break;
      case envelopeTags.startKey:
        startKey = reader.bytes();
        break;
      case envelopeTags.endKey:
        endKey = reader.bytes();
        break;
      case envelopeTags.hasRange:
        hasRange = reader.number() !== 0;
        break;
      case envelopeTags.message:
        nestedCount++;
        inner = reader.bytes();
        break;
      default:
        return undefined;
    }
  }
  // Each of the four once: protobuf would merge what comes twice.
  if (reader.isOdd || region === 0 || nestedCount !== NESTED_COUNT) {
    return undefined;
  }
  if (fromPeer === undefined || toPeer === undefined || epoch === undefined || inner === undefined) {
    return undefined;
  }
  if (
    fromPeer.id === toPeer.id ||
    startKey.length > limits.keyMaxBytes ||
    endKey.length > limits.keyMaxBytes
  ) {
    return undefined;
  }
  const message = readMessage(new ProtoReader(inner), fromPeer.id, toPeer.id);
  if (message === undefined) {
    return undefined;
  }
  return {
    regionId: region as RegionId,
    fromPeer,
    toPeer,
    epoch,
    range: hasRange ? { startKey, endKey } : undefined,
    payload: { kind: "raft", message },
  };
}

/** Reads a nested message. */
function within<T>(reader: ProtoReader, read: (reader: ProtoReader) => T): T {
  const outerEnd = reader.enter();
  const value = read(reader);
  reader.leave(outerEnd);
  return value;
}

function readPeer(reader: ProtoReader): Peer | undefined {
  let id = 0;
  let store = 0;
  let role = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case peerTags.id:
        id = reader.number();
        break;
      case peerTags.storeId:
        store = reader.number();
        break;
      case peerTags.role:
        role = reader.number();
        break;
      default:
        reader.odd();
    }
  }
  const name = roles[role];
  const isWhole = !reader.isOdd && id !== 0 && store !== 0 && name !== undefined;
  return isWhole ? { id: id as PeerId, storeId: store as StoreId, role: name } : undefined;
}

function readEpoch(reader: ProtoReader): RegionEpoch | undefined {
  let confVer = 0;
  let version = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case epochTags.confVer:
        confVer = reader.number();
        break;
      case epochTags.version:
        version = reader.number();
        break;
      default:
        reader.odd();
    }
  }
  return reader.isOdd ? undefined : { confVer, version };
}

function readMessage(reader: ProtoReader, from: PeerId, to: PeerId): Message | undefined {
  let typeNumber = 0;
  let term = 0;
  let logTerm = 0;
  let index = 0;
  let commit = 0;
  let reject = false;
  let rejectHint = 0;
  let context: Uint8Array | undefined;
  const entries: Entry[] = [];
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case messageTags.type:
        typeNumber = reader.number();
        break;
      case messageTags.term:
        term = reader.number();
        break;
      case messageTags.logTerm:
        logTerm = reader.number();
        break;
      case messageTags.index:
        index = reader.number();
        break;
      case messageTags.entry: {
        const entry = within(reader, readEntry);
        if (entry === undefined) {
          return undefined;
        }
        entries.push(entry);
        break;
      }
      case messageTags.commit:
        commit = reader.number();
        break;
      case messageTags.reject:
        reject = reader.number() !== 0;
        break;
      case messageTags.rejectHint:
        rejectHint = reader.number();
        break;
      case messageTags.context:
        context = reader.bytes();
        break;
      default:
        // A snapshot, or what a newer program has to say.
        return undefined;
    }
  }
  const type = messageTypes[typeNumber];
  // The others are few, and have rules of their own.
  const isHot =
    type === "MsgApp" || type === "MsgAppResp" || type === "MsgHeartbeat" || type === "MsgHeartbeatResp";
  if (reader.isOdd || !isHot || term === 0 || (type === "MsgApp" && !followEachOther(entries, index))) {
    return undefined;
  }
  return {
    type,
    to,
    from,
    term: term as Term,
    logTerm: logTerm as Term,
    index: index as Index,
    entries,
    commit: commit as Index,
    vote: 0,
    snapshot: undefined,
    reject,
    rejectHint: rejectHint as Index,
    context: context?.length === 0 ? undefined : context,
    responses: NO_RESPONSES,
  };
}

function readEntry(reader: ProtoReader): Entry | undefined {
  let typeNumber = 0;
  let term = 0;
  let index = 0;
  let data: Uint8Array = NO_BYTES;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    switch (tag) {
      case entryTags.type:
        typeNumber = reader.number();
        break;
      case entryTags.term:
        term = reader.number();
        break;
      case entryTags.index:
        index = reader.number();
        break;
      case entryTags.data:
        data = reader.bytes();
        break;
      default:
        reader.odd();
    }
  }
  const type = entryTypes[typeNumber];
  return reader.isOdd || type === undefined
    ? undefined
    : { term: term as Term, index: index as Index, type, data };
}

/** Whether an append's entries follow its index, and each other, and no term goes back. */
function followEachOther(entries: readonly Entry[], previousIndex: number): boolean {
  let expected = previousIndex;
  let leastTerm = 1;
  for (const entry of entries) {
    expected++;
    if (entry.index !== expected || entry.term < leastTerm) {
      return false;
    }
    leastTerm = entry.term;
  }
  return true;
}
