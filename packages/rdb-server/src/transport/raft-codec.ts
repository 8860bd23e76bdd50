import {
  type Peer,
  type PeerId,
  RdbError,
  type Region,
  type RegionEpoch,
  index,
  limits,
  peerId,
  regionId,
  term,
} from "@flaredb/rdb-base";
import {
  type AskMerge as WireAskMerge,
  type ConfState as WireConfState,
  type Entry as WireEntry,
  type Hibernate as WireHibernate,
  type Message as WireMessage,
  type Peer as WirePeer,
  type RaftMessage,
  type RaftRefusal,
  type Region as WireRegion,
  type RegionEpoch as WireEpoch,
  RaftRefusalSchema,
  type Snapshot as WireSnapshot,
  epochFromProto,
  peerFromProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { create } from "@bufbuild/protobuf";
import type { ConfState, Entry, Message, MessageType, Snapshot } from "@flaredb/rdb-raft";
import type { MergeQuestion, PeerMessage, PeerPayload, Refusal } from "../store/peer-message.ts";
import {
  entryTypes,
  hibernateSteps,
  messageTypes,
  refusalReasonNumbers,
  refusalReasons,
} from "./raft-enums.ts";

/** A message that breaks the protocol's form: dropped, and its sender told. */
interface Malformed {
  readonly refusal: Refusal;
  /** Which field, with which value. */
  readonly problem: string;
}

export type Decoded =
  | { readonly ok: true; readonly message: PeerMessage }
  | ({ readonly ok: false } & Malformed);

/** Says what is wrong with a message; never leaves this file. */
class FormError extends Error {}

/** What the stream of batches does not bring: a snapshot's message comes with its content, proposals are not forwarded. */
const typesNotStreamed: ReadonlySet<MessageType> = new Set(["MsgSnap", "MsgProp"]);

/** Term 0 marks a local message in the core, so nothing that travels may have it, but for what is only forwarded. */
const typesWithoutTerm: ReadonlySet<MessageType> = new Set(["MsgProp", "MsgReadIndex"]);

/**
 * Checks a message from another Store and turns it into the loop's form. Bytes (entries' data, keys) are views of
 * the message received, not copies.
 */
export function decodePeerMessage(wire: RaftMessage): Decoded {
  return orMalformed(wire, () => toPeerMessage(wire));
}

/** As {@link decodePeerMessage}, of what comes on the stream of batches. */
export function decodeStreamedMessage(wire: RaftMessage): Decoded {
  return orMalformed(wire, () => {
    const message = toPeerMessage(wire);
    const { payload } = message;
    if (payload.kind === "raft" && typesNotStreamed.has(payload.message.type)) {
      throw new FormError(`${payload.message.type} does not come on this stream`);
    }
    return message;
  });
}

function orMalformed(wire: RaftMessage, decode: () => PeerMessage): Decoded {
  try {
    return { ok: true, message: decode() };
  } catch (error) {
    // RangeError: a number above 2^53; RdbError: an unknown role. Anything else is a fault of ours.
    if (!(error instanceof FormError || error instanceof RangeError || error instanceof RdbError)) {
      throw error;
    }
    // Ids that are too large to be named are named as 0: the sender learns no more than that it was malformed.
    const refusal: Refusal = {
      regionId: regionId(safeOrZero(wire.regionId)),
      toPeerId: safeOrZero(wire.toPeer?.id ?? 0n),
      reason: "Malformed",
    };
    return { ok: false, refusal, problem: error.message };
  }
}

export function encodeRefusal(refusal: Refusal): RaftRefusal {
  return create(RaftRefusalSchema, {
    regionId: BigInt(refusal.regionId),
    toPeerId: BigInt(refusal.toPeerId),
    reason: refusalReasonNumbers[refusal.reason],
  });
}

/** Undefined when it is none of the form that this program knows: a refusal is only information. */
export function decodeRefusal(wire: RaftRefusal): Refusal | undefined {
  const reason = refusalReasons[wire.reason];
  if (reason === undefined) {
    return undefined;
  }
  return { regionId: regionId(safeOrZero(wire.regionId)), toPeerId: safeOrZero(wire.toPeerId), reason };
}

function toPeerMessage(wire: RaftMessage): PeerMessage {
  const fromPeer = toPeer(wire.fromPeer, "from_peer");
  const receiver = toPeer(wire.toPeer, "to_peer");
  if (fromPeer.id === receiver.id) {
    throw new FormError(`peer ${receiver.id} sends it to itself`);
  }
  checkKeyLength(wire.startKey, "start_key");
  checkKeyLength(wire.endKey, "end_key");
  return {
    regionId: regionId(positive(wire.regionId, "region_id")),
    fromPeer,
    toPeer: receiver,
    epoch: toEpoch(wire.epoch, "epoch"),
    range: wire.hasRange ? { startKey: wire.startKey, endKey: wire.endKey } : undefined,
    payload: toPayload(wire, fromPeer.id, receiver.id),
  };
}

/** Messages are kept, and their keys with them, until a peer is there that can take them. */
function checkKeyLength({ length }: Uint8Array, field: string): void {
  if (length > limits.keyMaxBytes) {
    throw new FormError(`${field} has ${length} bytes, the most is ${limits.keyMaxBytes}`);
  }
}

function toPayload({ payload, regionId: region }: RaftMessage, from: PeerId, to: PeerId): PeerPayload {
  switch (payload.case) {
    case "message":
      return { kind: "raft", message: toMessage(payload.value, from, to) };
    case "tombstone":
      return { kind: "tombstone", epoch: toEpoch(payload.value, "tombstone") };
    case "hibernate":
      return toHibernate(payload.value);
    case "replicaHash": {
      const { index: at, hash, isDamaged, isHalted } = payload.value;
      return { kind: "replicaHash", report: { index: index(at), hash, isDamaged, isHalted } };
    }
    case "mergedInto":
      return { kind: "merged", into: toTaker(payload.value, region) };
    case "askMerge":
      return { kind: "askMerge", question: toQuestion(payload.value) };
    case "mergeRefused":
      return { kind: "mergeRefused", prepareIndex: index(payload.value.prepareIndex) };
    case undefined:
      throw new FormError("payload is missing");
  }
}

/** The Region that took the receiver's. */
function toTaker(wire: WireRegion, taken: bigint): Region {
  if (positive(wire.id, "region id of the taker") === taken) {
    throw new FormError(`Region ${taken} is said to have taken itself`);
  }
  checkKeyLength(wire.startKey, "start_key of the taker");
  checkKeyLength(wire.endKey, "end_key of the taker");
  return regionFromProto(wire);
}

function toQuestion(wire: WireAskMerge): MergeQuestion {
  return {
    target: {
      id: regionId(positive(wire.targetId, "target_id")),
      epoch: toEpoch(wire.targetEpoch, "target_epoch"),
    },
    prepareIndex: index(wire.prepareIndex),
    keeper: regionId(positive(wire.keeperId, "keeper_id")),
    givesUp: wire.givesUp,
  };
}

function toHibernate(wire: WireHibernate): PeerPayload {
  return {
    kind: "hibernate",
    step: known(hibernateSteps[wire.step], "hibernate step", wire.step),
    term: term(positive(wire.term, "hibernate term")),
    commit: index(wire.commit),
  };
}

function toMessage(wire: WireMessage, from: PeerId, to: PeerId): Message {
  const type = known(messageTypes[wire.type], "message type", wire.type);
  const hasSnapshot = wire.snapshot !== undefined;
  if (hasSnapshot !== (type === "MsgSnap")) {
    throw new FormError(`${type} ${hasSnapshot ? "has a" : "is without its"} snapshot`);
  }
  if (wire.term === 0n && !typesWithoutTerm.has(type)) {
    throw new FormError(`${type} has term 0`);
  }
  const entries = wire.entries.map(toEntry);
  if (type === "MsgApp") {
    checkOrder(entries, Number(wire.index));
  }
  return {
    type,
    to,
    from,
    term: term(wire.term),
    logTerm: term(wire.logTerm),
    index: index(wire.index),
    entries,
    commit: index(wire.commit),
    vote: 0,
    snapshot: wire.snapshot === undefined ? undefined : toSnapshot(wire.snapshot),
    reject: wire.reject,
    rejectHint: index(wire.rejectHint),
    context: wire.context.length === 0 ? undefined : wire.context,
    responses: [],
  };
}

/** The core relies on it that an append's entries follow its index, and each other. */
function checkOrder(entries: readonly Entry[], previousIndex: number): void {
  let expected = previousIndex;
  let leastTerm = 1;
  for (const entry of entries) {
    expected++;
    if (entry.index !== expected) {
      throw new FormError(`entry index ${entry.index} must be ${expected}`);
    }
    if (entry.term < leastTerm) {
      throw new FormError(`term ${entry.term} of entry ${entry.index} must be >= ${leastTerm}`);
    }
    leastTerm = entry.term;
  }
}

function toEntry(wire: WireEntry): Entry {
  return {
    term: term(wire.term),
    index: index(wire.index),
    type: known(entryTypes[wire.type], "entry type", wire.type),
    data: wire.data,
  };
}

function toSnapshot(wire: WireSnapshot): Snapshot {
  const confState = wire.metadata?.confState;
  if (wire.metadata === undefined || confState === undefined || confState.voters.length === 0) {
    throw new FormError("snapshot is without its metadata, or names no voter");
  }
  return {
    metadata: {
      confState: toConfState(confState),
      index: index(positive(wire.metadata.index, "snapshot index")),
      term: term(positive(wire.metadata.term, "snapshot term")),
    },
    data: wire.data,
  };
}

function toConfState(wire: WireConfState): ConfState {
  return {
    voters: wire.voters.map(toVoter),
    learners: wire.learners.map(toVoter),
    votersOutgoing: wire.votersOutgoing.map(toVoter),
    learnersNext: wire.learnersNext.map(toVoter),
    autoLeave: wire.autoLeave,
  };
}

function toVoter(id: bigint): PeerId {
  return peerId(positive(id, "peer id of the ConfState"));
}

function toPeer(wire: WirePeer | undefined, field: string): Peer {
  if (wire === undefined) {
    throw new FormError(`${field} is missing`);
  }
  positive(wire.id, `${field} id`);
  positive(wire.storeId, `${field} store_id`);
  return peerFromProto(wire);
}

function toEpoch(wire: WireEpoch | undefined, field: string): RegionEpoch {
  if (wire === undefined) {
    throw new FormError(`${field} is missing`);
  }
  return epochFromProto(wire);
}

function positive(value: bigint, field: string): bigint {
  if (value === 0n) {
    throw new FormError(`${field} is missing`);
  }
  return value;
}

function known<T>(name: T | undefined, what: string, number: number): T {
  if (name === undefined) {
    throw new FormError(`${what} ${number} is not known to this program`);
  }
  return name;
}

function safeOrZero(value: bigint): number {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : 0;
}
