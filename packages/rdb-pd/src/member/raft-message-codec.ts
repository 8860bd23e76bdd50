import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { type PeerId, RdbError, index, peerId, term } from "@flaredb/rdb-base";
import {
  type ConfState as WireConfState,
  EntryType as WireEntryType,
  type Message as WireMessage,
  MessageSchema,
  MessageType as WireMessageType,
  type Snapshot as WireSnapshot,
} from "@flaredb/rdb-proto";
import {
  type ConfState,
  type Entry,
  type EntryType,
  type Message,
  type MessageType,
  type Snapshot,
  newMessage,
} from "@flaredb/rdb-raft";

/** The messages that travel; the core's others are local to a member. */
const messageTypes: { readonly [Type in MessageType]?: WireMessageType } = {
  MsgApp: WireMessageType.APPEND,
  MsgAppResp: WireMessageType.APPEND_RESPONSE,
  MsgVote: WireMessageType.VOTE,
  MsgVoteResp: WireMessageType.VOTE_RESPONSE,
  MsgSnap: WireMessageType.SNAPSHOT,
  MsgHeartbeat: WireMessageType.HEARTBEAT,
  MsgHeartbeatResp: WireMessageType.HEARTBEAT_RESPONSE,
  MsgTimeoutNow: WireMessageType.TIMEOUT_NOW,
  MsgPreVote: WireMessageType.PRE_VOTE,
  MsgPreVoteResp: WireMessageType.PRE_VOTE_RESPONSE,
};

const entryTypes: Readonly<Record<EntryType, WireEntryType>> = {
  Normal: WireEntryType.NORMAL,
  ConfChange: WireEntryType.CONF_CHANGE,
  ConfChangeV2: WireEntryType.CONF_CHANGE_V2,
};

const messageTypesBack = inverted<MessageType>(messageTypes);
const entryTypesBack = inverted<EntryType>(entryTypes);

/** Undefined for a message that never travels. A snapshot goes without its data. */
export function raftMessageToProto(message: Message): WireMessage | undefined {
  const type = messageTypes[message.type];
  if (type === undefined) {
    return undefined;
  }
  const { snapshot } = message;
  return create(MessageSchema, {
    type,
    term: BigInt(message.term),
    logTerm: BigInt(message.logTerm),
    index: BigInt(message.index),
    entries: message.entries.map((entry) => ({
      type: entryTypes[entry.type],
      term: BigInt(entry.term),
      index: BigInt(entry.index),
      data: entry.data,
    })),
    commit: BigInt(message.commit),
    reject: message.reject,
    rejectHint: BigInt(message.rejectHint),
    ...(message.context === undefined ? {} : { context: message.context }),
    ...(snapshot === undefined ? {} : { snapshot: snapshotToProto(snapshot) }),
  });
}

/**
 * @param snapshotData what came before a MsgSnap
 * @throws RdbError RDB_INVALID_ARGUMENT when the message breaks the protocol's form
 */
export function raftMessageFromProto(
  wire: WireMessage,
  ends: { readonly from: PeerId; readonly to: PeerId },
  snapshotData: Uint8Array,
): Message {
  const type = messageTypesBack.get(wire.type);
  if (type === undefined || wire.term === 0n || (wire.snapshot !== undefined) !== (type === "MsgSnap")) {
    throw malformed(`message of type ${wire.type} and term ${wire.term}`);
  }
  return readNumbers(() => {
    const entries = wire.entries.map(entryFromProto);
    if (type === "MsgApp") {
      checkOrder(entries, Number(wire.index));
    }
    return newMessage({
      ...{ type, ...ends, entries, reject: wire.reject },
      term: term(wire.term),
      logTerm: term(wire.logTerm),
      index: index(wire.index),
      commit: index(wire.commit),
      rejectHint: index(wire.rejectHint),
      ...(wire.context.length === 0 ? {} : { context: wire.context }),
      ...(wire.snapshot === undefined ? {} : { snapshot: snapshotFromProto(wire.snapshot, snapshotData) }),
    });
  });
}

function entryFromProto(wire: WireMessage["entries"][number]): Entry {
  const type = entryTypesBack.get(wire.type);
  if (type === undefined) {
    throw malformed(`entry of type ${wire.type}`);
  }
  return { type, term: term(wire.term), index: index(wire.index), data: wire.data };
}

/** The core relies on it that an append's entries follow its index, and each other. */
function checkOrder(entries: readonly Entry[], previousIndex: number): void {
  let previous = { index: previousIndex, term: 1 };
  for (const entry of entries) {
    if (entry.index !== previous.index + 1 || entry.term < previous.term) {
      throw malformed(`entry ${entry.index} of term ${entry.term} after ${previous.index}`);
    }
    previous = entry;
  }
}

function snapshotToProto({ metadata }: Snapshot): MessageInitShape<typeof MessageSchema>["snapshot"] {
  const { voters, learners, votersOutgoing, learnersNext, autoLeave } = metadata.confState;
  return {
    metadata: {
      index: BigInt(metadata.index),
      term: BigInt(metadata.term),
      confState: {
        voters: voters.map(BigInt),
        learners: learners.map(BigInt),
        votersOutgoing: votersOutgoing.map(BigInt),
        learnersNext: learnersNext.map(BigInt),
        autoLeave,
      },
    },
  };
}

function snapshotFromProto({ metadata }: WireSnapshot, data: Uint8Array): Snapshot {
  if (metadata?.confState === undefined || metadata.confState.voters.length === 0 || metadata.index === 0n) {
    throw malformed("snapshot without its metadata");
  }
  const confState = confStateFromProto(metadata.confState);
  return { data, metadata: { index: index(metadata.index), term: term(metadata.term), confState } };
}

function confStateFromProto(wire: WireConfState): ConfState {
  return {
    voters: wire.voters.map(peerId),
    learners: wire.learners.map(peerId),
    votersOutgoing: wire.votersOutgoing.map(peerId),
    learnersNext: wire.learnersNext.map(peerId),
    autoLeave: wire.autoLeave,
  };
}

/** A number past 2^53 is malformed. */
function readNumbers(read: () => Message): Message {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? malformed(error.message) : error;
  }
}

function malformed(what: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", `malformed message of another PD member: ${what}`);
}

function inverted<Name extends string>(
  numbers: Readonly<Partial<Record<Name, number>>>,
): ReadonlyMap<number, Name> {
  return new Map(Object.entries(numbers).map(([name, number]) => [number as number, name as Name]));
}
