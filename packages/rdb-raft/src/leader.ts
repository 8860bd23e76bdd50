import { handleAppendResponse } from "./append-response.ts";
import { formatProgress } from "./describe.ts";
import { hex } from "./hex.ts";
import type { Message } from "./messages.ts";
import { type PeerMessage, saysSender } from "./peer-message.ts";
import type { Progress } from "./progress.ts";
import { proposeEntries } from "./proposal.ts";
import type { Raft } from "./raft.ts";
import { handleReadAck, handleReadIndex } from "./read-index.ts";
import { broadcastHeartbeat, sendAppend, tellCommit } from "./replication.ts";
import { handleSnapshotStatus } from "./snapshot.ts";
import type { StepResult } from "./step-result.ts";
import { handleTransferLeader } from "./transfer.ts";

/** A tick of a leader. */
export function tickHeartbeat(raft: Raft): void {
  raft.heartbeatElapsed++;
  raft.electionElapsed++;
  if (raft.electionElapsed >= raft.config.electionTicks) {
    raft.electionElapsed = 0;
    if (raft.config.checkQuorum) {
      checkQuorum(raft);
    }
    // A transfer that did not succeed within an election timeout is given up.
    if (raft.role === "Leader" && raft.leadTransferee !== 0) {
      raft.abortLeaderTransfer();
    }
  }
  if (raft.role === "Leader" && raft.heartbeatElapsed >= raft.config.heartbeatTicks) {
    raft.heartbeatElapsed = 0;
    broadcastHeartbeat(raft);
  }
  if (raft.role === "Leader" && raft.config.commitWithNextMessage) {
    tellCommit(raft);
  }
}

/** Marks every other peer as not heard of. */
export function resetRecentActive(raft: Raft): void {
  for (const [id, progress] of raft.tracker.progress) {
    if (id !== raft.id) {
      progress.recentActive = false;
    }
  }
}

/** What a leader does with a message of its own term. */
export function stepLeader(raft: Raft, message: Message): StepResult {
  switch (message.type) {
    case "MsgBeat":
      broadcastHeartbeat(raft);
      return "ok";
    case "MsgCheckQuorum":
      checkQuorum(raft);
      return "ok";
    case "MsgProp":
      return proposeEntries(raft, message.entries);
    case "MsgReadIndex":
      handleReadIndex(raft, message);
      return "ok";
    default:
      handlePeerMessage(raft, message);
      return "ok";
  }
}

/** Steps down when no quorum was heard of since the last check (thesis §6.2). */
function checkQuorum(raft: Raft): void {
  if (!raft.tracker.quorumActive()) {
    raft.logger.warn(`${raft.name} stepped down to follower since quorum is not active`);
    raft.becomeFollower(raft.term, 0);
  }
  resetRecentActive(raft);
}

/** Messages about one peer, which must be in the configuration. Those that a leader has no use for are ignored. */
function handlePeerMessage(raft: Raft, message: Message): void {
  if (!saysSender(message)) {
    return;
  }
  const progress = raft.tracker.progress.get(message.from);
  if (progress === undefined) {
    raft.logger.debug(`${raft.name} no progress available for ${hex(message.from)}`);
    return;
  }
  switch (message.type) {
    case "MsgAppResp":
      handleAppendResponse(raft, message, progress);
      return;
    case "MsgHeartbeatResp":
      handleHeartbeatResponse(raft, message, progress);
      return;
    case "MsgSnapStatus":
      handleSnapshotStatus(raft, message, progress);
      return;
    case "MsgUnreachable":
      handleUnreachable(raft, message, progress);
      return;
    case "MsgTransferLeader":
      handleTransferLeader(raft, message, progress);
      return;
    default:
  }
}

function handleHeartbeatResponse(raft: Raft, message: PeerMessage, progress: Progress): void {
  progress.recentActive = true;
  progress.msgAppFlowPaused = false;
  // Messages may have been lost: a peer that is behind, or being probed, gets the next one, even an empty one.
  if (progress.match < raft.log.lastIndex() || progress.state === "StateProbe") {
    sendAppend(raft, message.from);
  }
  handleReadAck(raft, message);
}

function handleUnreachable(raft: Raft, message: PeerMessage, progress: Progress): void {
  // Of what was sent optimistically, most is probably lost.
  if (progress.state === "StateReplicate") {
    progress.becomeProbe();
  }
  raft.logger.debug(
    `${raft.name} failed to send message to ${hex(message.from)} because it is unreachable ` +
      `[${formatProgress(progress)}]`,
  );
}
