import { assert, type PeerId } from "@flaredb/rdb-base";
import { formatConfState, formatProgress } from "./describe.ts";
import { EMPTY_SNAPSHOT } from "./empty-state.ts";
import { hex } from "./hex.ts";
import { ZERO_INDEX } from "./index-math.ts";
import type { ConfState, Message, Snapshot } from "./messages.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";

/** Leader: sends a snapshot to a peer that the log no longer serves. False when there is none to send now. */
export function maybeSendSnapshot(raft: Raft, to: PeerId, progress: Progress): boolean {
  if (!progress.recentActive) {
    raft.logger.debug(`ignore sending snapshot to ${hex(to)} since it is not recently active`);
    return false;
  }
  const snapshot = raft.log.snapshot();
  if (snapshot === "temporarily-unavailable") {
    raft.logger.debug(
      `${raft.name} failed to send snapshot to ${hex(to)} because snapshot is temporarily unavailable`,
    );
    return false;
  }
  assert(typeof snapshot !== "string", "storage has a snapshot of what it compacted");
  const { index, term } = snapshot.metadata;
  assert(index > 0, "a snapshot to send is not empty");
  raft.logger.debug(
    `${raft.name} [firstindex: ${raft.log.firstIndex()}, commit: ${raft.log.committed}] sent ` +
      `snapshot[index: ${index}, term: ${term}] to ${hex(to)} [${formatProgress(progress)}]`,
  );
  progress.becomeSnapshot(index);
  raft.logger.debug(
    `${raft.name} paused sending replication messages to ${hex(to)} [${formatProgress(progress)}]`,
  );
  raft.send({ type: "MsgSnap", to, snapshot });
  return true;
}

/** Leader: its driver tells whether a snapshot reached the follower. */
export function handleSnapshotStatus(raft: Raft, message: PeerMessage, progress: Progress): void {
  if (progress.state !== "StateSnapshot") {
    return;
  }
  const outcome = message.reject ? "failed" : "succeeded";
  if (message.reject) {
    // It was never installed, so the probe must not start behind it.
    progress.pendingSnapshot = ZERO_INDEX;
  }
  progress.becomeProbe();
  raft.logger.debug(
    `${raft.name} snapshot ${outcome}, resumed sending replication messages to ` +
      `${hex(message.from)} [${formatProgress(progress)}]`,
  );
  // After a success the follower's own answer comes next; after a failure wait for a heartbeat before the next try.
  progress.msgAppFlowPaused = true;
}

/** Follower: takes a leader's snapshot, or says that it has all of it already. */
export function handleSnapshot(raft: Raft, message: Message): void {
  // One that lost its snapshot on the way is ignored, as an old one is.
  const snapshot = message.snapshot ?? EMPTY_SNAPSHOT;
  const { index, term } = snapshot.metadata;
  const restored = restore(raft, snapshot);
  raft.logger.info(
    `${raft.name} [commit: ${raft.log.committed}] ${restored ? "restored" : "ignored"} ` +
      `snapshot [index: ${index}, term: ${term}]`,
  );
  raft.send({
    type: "MsgAppResp",
    to: message.from,
    index: restored ? raft.log.lastIndex() : raft.log.committed,
  });
}

/** Replaces the log and the configuration by a snapshot. False when it is of no use here. */
function restore(raft: Raft, snapshot: Snapshot): boolean {
  const { index, term, confState } = snapshot.metadata;
  if (index <= raft.log.committed) {
    return false;
  }
  assert(raft.role === "Follower", "only a follower takes a snapshot");
  if (!isInConfState(raft.id, confState)) {
    raft.logger.warn(
      `${raft.name} attempted to restore snapshot but it is not in the ConfState ` +
        `${formatConfState(confState)}; should never happen`,
    );
    return false;
  }
  if (raft.log.matchTerm({ term, index })) {
    raft.logger.info(
      `${raft.name} ${describeLog(raft)} fast-forwarded commit to snapshot [index: ${index}, term: ${term}]`,
    );
    raft.log.commitTo(index);
    return false;
  }
  raft.log.restore(snapshot);
  raft.restoreConfiguration(confState);
  raft.logger.info(`${raft.name} ${describeLog(raft)} restored snapshot [index: ${index}, term: ${term}]`);
  return true;
}

/** learnersNext need not be looked at: they are voters of the outgoing half. */
function isInConfState(id: PeerId, confState: ConfState): boolean {
  const { voters, learners, votersOutgoing } = confState;
  return voters.includes(id) || learners.includes(id) || votersOutgoing.includes(id);
}

function describeLog(raft: Raft): string {
  const last = raft.log.lastEntryId();
  return `[commit: ${raft.log.committed}, lastindex: ${last.index}, lastterm: ${last.term}]`;
}
