import { assertNever, type Term } from "@flaredb/rdb-base";
import { formatProgress } from "./describe.ts";
import { hex } from "./hex.ts";
import { plus } from "./index-math.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { releasePostponedReads } from "./read-index.ts";
import { broadcastAppend, maybeSendAppend, sendAppend } from "./replication.ts";
import { sendTimeoutNow } from "./transfer.ts";

/** Leader: takes the answer to a MsgApp or to a snapshot, or its own acknowledgement of what is durable here. */
export function handleAppendResponse(raft: Raft, message: PeerMessage, progress: Progress): void {
  progress.recentActive = true;
  const { from } = message;
  if (message.reject) {
    handleRejection(raft, message, progress);
    return;
  }
  const index = plus(message.index, 0);
  // An acknowledgement of what was known already brings a probed peer back, too.
  const probedAgain = progress.match === index && progress.state === "StateProbe";
  if (!progress.maybeUpdate(index) && !probedAgain) {
    return;
  }
  resumeReplication(raft, message, progress);
  // Whoever is removed by a conf change hears of its commit before the leader, which applies it, forgets the peer.
  const tellsAtOnce = !raft.config.commitWithNextMessage || raft.pendingConfIndex > raft.log.applied;
  if (raft.maybeCommit()) {
    releasePostponedReads(raft);
    if (tellsAtOnce) {
      broadcastAppend(raft);
    }
  } else if (tellsAtOnce && from !== raft.id && progress.canBumpCommit(raft.log.committed)) {
    sendAppend(raft, from);
  }
  if (from !== raft.id) {
    // The window may have room for more than one message now, or what was held back can be sent.
    while (maybeSendAppend(raft, from, false));
  }
  if (from === raft.leadTransferee && progress.match === raft.log.lastIndex()) {
    raft.logger.info(`${raft.name} sent MsgTimeoutNow to ${hex(from)} after received MsgAppResp`);
    sendTimeoutNow(raft, from);
  }
}

function handleRejection(raft: Raft, message: PeerMessage, progress: Progress): void {
  const { from, index, rejectHint, logTerm } = message;
  raft.logger.debug(
    `${raft.name} received MsgAppResp(rejected, hint: (index ${rejectHint}, term ${logTerm})) ` +
      `from ${hex(from)} for index ${index}`,
  );
  // The follower's entries above the hint have terms above logTerm: it cannot match before our own last one.
  const hint = plus(rejectHint, 0);
  const nextProbe = logTerm > 0 ? raft.log.findConflictByTerm(hint, logTerm as Term).index : hint;
  if (progress.maybeDecreaseTo(plus(index, 0), nextProbe)) {
    raft.logger.debug(`${raft.name} decreased progress of ${hex(from)} to [${formatProgress(progress)}]`);
    if (progress.state === "StateReplicate") {
      progress.becomeProbe();
    }
    sendAppend(raft, from);
  }
}

/** A follower has acknowledged: what it is sent from now on. */
function resumeReplication(raft: Raft, message: PeerMessage, progress: Progress): void {
  switch (progress.state) {
    case "StateProbe":
      progress.becomeReplicate();
      return;
    case "StateSnapshot":
      // It may be behind the snapshot that was sent, and be in reach of the log all the same.
      if (progress.match + 1 >= raft.log.firstIndex()) {
        raft.logger.debug(
          `${raft.name} recovered from needing snapshot, resumed sending replication messages to ` +
            `${hex(message.from)} [${formatProgress(progress)}]`,
        );
        progress.becomeProbe();
        progress.becomeReplicate();
      }
      return;
    case "StateReplicate":
      progress.inflights.freeUpTo(plus(message.index, 0));
      return;
    default:
      assertNever(progress.state, "state of a progress");
  }
}
