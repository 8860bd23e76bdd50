import { assert, type Index, type PeerId, type Term } from "@flaredb/rdb-base";
import {
  type Entry,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type MessageType,
  type Snapshot,
} from "./messages.ts";

/** What a message is made of; what is left out is the field's zero. */
export interface MessageFields {
  readonly type: MessageType;
  readonly to?: PeerId | 0;
  readonly from?: PeerId | 0;
  readonly term?: Term | 0;
  readonly logTerm?: Term | 0;
  readonly index?: Index | 0;
  readonly entries?: readonly Entry[];
  readonly commit?: Index | 0;
  readonly vote?: PeerId | 0;
  readonly snapshot?: Snapshot | undefined;
  readonly reject?: boolean;
  readonly rejectHint?: Index | 0;
  readonly context?: Uint8Array | undefined;
  readonly responses?: readonly Message[];
}

const NO_ENTRIES: readonly Entry[] = [];
const NO_RESPONSES: readonly Message[] = [];

/**
 * A whole message. Every message is made here, so that all have the same shape.
 *
 * @param from in place of the one in `fields`
 * @param term in place of the one in `fields`
 */
export function newMessage(
  fields: MessageFields,
  from: PeerId | 0 = fields.from ?? 0,
  term: Term | 0 = fields.term ?? 0,
): Message {
  return {
    type: fields.type,
    to: fields.to ?? 0,
    from,
    term,
    logTerm: fields.logTerm ?? 0,
    index: fields.index ?? 0,
    entries: fields.entries ?? NO_ENTRIES,
    commit: fields.commit ?? 0,
    vote: fields.vote ?? 0,
    snapshot: fields.snapshot,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? 0,
    context: fields.context,
    responses: fields.responses ?? NO_RESPONSES,
  };
}

/** Messages that a peer only ever sends to itself, or gets from its own storage threads. */
export function isLocalMessage(type: MessageType): boolean {
  return LOCAL_MESSAGES.has(type);
}

/** Messages that answer another one. */
export function isResponseMessage(type: MessageType): boolean {
  return RESPONSE_MESSAGES.has(type);
}

/** Messages that a follower sends on to its leader. */
export function isForwardedRequest(type: MessageType): boolean {
  return type === "MsgReadIndex" || type === "MsgTransferLeader";
}

/** Whether `id` is one of the peer's own storage threads. */
export function isStorageThread(id: PeerId | 0): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}

/** The answer's type to a request for a vote. */
export function voteResponseType(type: MessageType): "MsgVoteResp" | "MsgPreVoteResp" {
  assert(type === "MsgVote" || type === "MsgPreVote", `${type} is a request for a vote`);
  return type === "MsgVote" ? "MsgVoteResp" : "MsgPreVoteResp";
}

const LOCAL_MESSAGES: ReadonlySet<MessageType> = new Set([
  "MsgHup",
  "MsgBeat",
  "MsgUnreachable",
  "MsgSnapStatus",
  "MsgCheckQuorum",
  "MsgStorageAppend",
  "MsgStorageAppendResp",
  "MsgStorageApply",
  "MsgStorageApplyResp",
]);

const RESPONSE_MESSAGES: ReadonlySet<MessageType> = new Set([
  "MsgAppResp",
  "MsgVoteResp",
  "MsgHeartbeatResp",
  "MsgUnreachable",
  "MsgReadIndexResp",
  "MsgPreVoteResp",
  "MsgStorageAppendResp",
  "MsgStorageApplyResp",
]);
