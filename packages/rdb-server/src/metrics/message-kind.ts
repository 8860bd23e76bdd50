import type { messageKinds } from "@flaredb/rdb-metrics";
import type { MessageType } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../store/peer-message.ts";

type MessageKind = (typeof messageKinds)[number];

const kindsOfRaft: Readonly<Partial<Record<MessageType, MessageKind>>> = {
  MsgApp: "append",
  MsgAppResp: "append_response",
  MsgHeartbeat: "heartbeat",
  MsgHeartbeatResp: "heartbeat_response",
  MsgVote: "vote",
  MsgVoteResp: "vote_response",
  MsgPreVote: "pre_vote",
  MsgPreVoteResp: "pre_vote_response",
  MsgReadIndex: "read_index",
  MsgReadIndexResp: "read_index_response",
  MsgTimeoutNow: "transfer",
  MsgTransferLeader: "transfer",
  MsgSnap: "snapshot",
};

/** What a message between peers is for, as metrics tell it. */
export function messageKind({ payload }: PeerMessage): MessageKind {
  if (payload.kind === "raft") {
    return kindsOfRaft[payload.message.type] ?? "other";
  }
  return payload.kind === "hibernate" ? "hibernate" : "other";
}
