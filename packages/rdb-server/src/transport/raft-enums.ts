import type { PeerRole as Role } from "@flaredb/rdb-base";
import { EntryType, HibernateStep, MessageType, PeerRole, RefusalReason } from "@flaredb/rdb-proto";
import type { EntryType as RaftEntryType, MessageType as RaftMessageType } from "@flaredb/rdb-raft";
import type { HibernateStep as Step, RefusalReason as Reason } from "../store/peer-message.ts";

/** The messages that travel. The core's others are local to a Store, and have no number. */
export const messageTypeNumbers: { readonly [Type in RaftMessageType]?: MessageType } = {
  MsgApp: MessageType.APPEND,
  MsgAppResp: MessageType.APPEND_RESPONSE,
  MsgVote: MessageType.VOTE,
  MsgVoteResp: MessageType.VOTE_RESPONSE,
  MsgSnap: MessageType.SNAPSHOT,
  MsgHeartbeat: MessageType.HEARTBEAT,
  MsgHeartbeatResp: MessageType.HEARTBEAT_RESPONSE,
  MsgTransferLeader: MessageType.TRANSFER_LEADER,
  MsgTimeoutNow: MessageType.TIMEOUT_NOW,
  MsgReadIndex: MessageType.READ_INDEX,
  MsgReadIndexResp: MessageType.READ_INDEX_RESPONSE,
  MsgPreVote: MessageType.PRE_VOTE,
  MsgPreVoteResp: MessageType.PRE_VOTE_RESPONSE,
  MsgProp: MessageType.PROPOSE,
};

export const entryTypeNumbers: Readonly<Record<RaftEntryType, EntryType>> = {
  Normal: EntryType.NORMAL,
  ConfChange: EntryType.CONF_CHANGE,
  ConfChangeV2: EntryType.CONF_CHANGE_V2,
};

export const hibernateStepNumbers: Readonly<Record<Step, HibernateStep>> = {
  Ask: HibernateStep.ASK,
  Agree: HibernateStep.AGREE,
  Sleep: HibernateStep.SLEEP,
  Wake: HibernateStep.WAKE,
};

export const refusalReasonNumbers: Readonly<Record<Reason, RefusalReason>> = {
  RegionNotFound: RefusalReason.REGION_NOT_FOUND,
  StoreNotMatch: RefusalReason.STORE_NOT_MATCH,
  ClusterMismatch: RefusalReason.CLUSTER_MISMATCH,
  Busy: RefusalReason.BUSY,
  Malformed: RefusalReason.MALFORMED,
};

export const roleNumbers: Readonly<Record<Role, PeerRole>> = {
  Voter: PeerRole.VOTER,
  Learner: PeerRole.LEARNER,
  IncomingVoter: PeerRole.INCOMING_VOTER,
  DemotingVoter: PeerRole.DEMOTING_VOTER,
};

// The way back. A number that is in no table came from a newer program, or is damage.
export const messageTypes = byNumber<RaftMessageType>(messageTypeNumbers);
export const entryTypes = byNumber<RaftEntryType>(entryTypeNumbers);
export const roles = byNumber<Role>(roleNumbers);
export const hibernateSteps = byNumber<Step>(hibernateStepNumbers);
export const refusalReasons = byNumber<Reason>(refusalReasonNumbers);

function byNumber<Name extends string>(
  numbers: Readonly<Partial<Record<Name, number>>>,
): readonly (Name | undefined)[] {
  const names: Name[] = [];
  for (const [name, number] of Object.entries(numbers)) {
    names[number as number] = name as Name;
  }
  return names;
}
