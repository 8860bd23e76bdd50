import type { Index } from "@flaredb/rdb-base";
import type { Message } from "./messages.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { Raft } from "./raft.ts";
import { broadcastHeartbeatWith } from "./replication.ts";

/** Leader: takes a request for the index that a linearizable read has to wait for (thesis §6.4). */
export function handleReadIndex(raft: Raft, request: Message): void {
  if (raft.committedEntryInCurrentTerm()) {
    confirmRead(raft, request);
  } else {
    // Until then it may not know of entries that its predecessor committed; a lone voter, of what it committed
    // itself before a crash, as the commit index is not synced by itself. etcd makes an exception for the latter.
    raft.pendingReads.postpone(request);
  }
}

/** Leader: starts the reads that waited for its first commit. */
export function releasePostponedReads(raft: Raft): void {
  if (!raft.pendingReads.hasPostponed || !raft.committedEntryInCurrentTerm()) {
    return;
  }
  for (const request of raft.pendingReads.takePostponed()) {
    confirmRead(raft, request);
  }
}

/** Leader: a follower's heartbeat response confirms the leadership for the reads that the heartbeat asked about. */
export function handleReadAck(raft: Raft, message: PeerMessage): void {
  const { from, context } = message;
  if (raft.config.readOnlyOption !== "Safe" || context === undefined || context.length === 0) {
    return;
  }
  raft.pendingReads.acknowledge(from, context);
  answerConfirmedReads(raft);
}

/** Follower: takes the leader's answer to a read that it forwarded. */
export function handleReadIndexResponse(raft: Raft, message: Message): void {
  raft.readStates.push({
    index: message.index as Index,
    requestContext: message.context ?? NO_CONTEXT,
  });
}

function confirmRead(raft: Raft, request: Message): void {
  if (raft.config.readOnlyOption === "LeaseBased" || isOnlyVoter(raft)) {
    answerRead(raft, request, raft.log.committed);
    return;
  }
  if (!raft.pendingReads.add(request, raft.log.committed)) {
    raft.logger.warn(`${raft.name} too many reads wait to be confirmed; dropping index reading msg`);
    return;
  }
  const context = raft.pendingReads.heartbeatContext();
  if (context !== undefined) {
    raft.pendingReads.acknowledge(raft.id, context);
    broadcastHeartbeatWith(raft, context);
  }
  // Its own confirmation may be enough, in a joint configuration of which it is the only voter.
  answerConfirmedReads(raft);
}

/** Whether nobody else can lead. A leader that was removed may see a single voter that is another peer. */
function isOnlyVoter({ id, tracker }: Raft): boolean {
  return tracker.isSingleton() && tracker.config.voters.has(id);
}

function answerConfirmedReads(raft: Raft): void {
  for (const { request, index } of raft.pendingReads.advance(raft.tracker.config.voters)) {
    answerRead(raft, request, index);
  }
}

/** Hands the answer to this peer's own driver, or sends it to the follower that asked. */
function answerRead(raft: Raft, request: Message, index: Index): void {
  if (request.from === 0 || request.from === raft.id) {
    raft.readStates.push({ index, requestContext: request.context ?? NO_CONTEXT });
  } else {
    raft.send({ type: "MsgReadIndexResp", to: request.from, index, context: request.context });
  }
}

const NO_CONTEXT = new Uint8Array(0);
