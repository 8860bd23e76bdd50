import { assert, type PeerId, type Term } from "@flaredb/rdb-base";
import { payloadsSizeBytes } from "./entry-size.ts";
import { hex } from "./hex.ts";
import { minIndex, plus } from "./index-math.ts";
import type { Entry, EntryType, Message } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { Raft } from "./raft.ts";
import { maybeSendSnapshot } from "./snapshot.ts";

/** An entry before it has its place in the log. */
export interface ProposedEntry {
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/** Leader: appends entries to its own log. False when the limit of uncommitted bytes forbids it. */
export function appendEntries(raft: Raft, proposed: readonly ProposedEntry[]): boolean {
  const last = raft.log.lastIndex();
  const entries = proposed.map(
    ({ type, data }, offset): Entry => ({ term: raft.term, index: plus(last, offset + 1), type, data }),
  );
  const bytes = payloadsSizeBytes(entries);
  // An empty payload always passes: it is a leader's first entry, or the one that leaves a joint configuration.
  const limit = raft.config.maxUncommittedEntriesSizeBytes;
  if (raft.uncommittedBytes > 0 && bytes > 0 && raft.uncommittedBytes + bytes > limit) {
    raft.logger.warn(
      `${raft.name} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`,
    );
    return false;
  }
  raft.uncommittedBytes += bytes;
  // Its own acknowledgement counts once the entries are durable, so it waits for the append as any other.
  raft.send({ type: "MsgAppResp", to: raft.id, index: raft.log.append(entries) });
  return true;
}

/** Leader: sends every other peer what it is ready for. */
export function broadcastAppend(raft: Raft): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) {
      sendAppend(raft, id);
    }
  }
}

/** Leader: sends a MsgApp to every other peer that could commit more if it knew the commit index. */
export function tellCommit(raft: Raft): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id && progressOf(raft, id).canBumpCommit(raft.log.committed)) {
      sendAppend(raft, id);
    }
  }
}

/** Sends a MsgApp, even an empty one, which carries the commit index. */
export function sendAppend(raft: Raft, to: PeerId): void {
  maybeSendAppend(raft, to, true);
}

/** Sends a MsgApp, or a snapshot where the log no longer has what the peer needs. False when nothing was sent. */
export function maybeSendAppend(raft: Raft, to: PeerId, sendIfEmpty: boolean): boolean {
  const progress = progressOf(raft, to);
  if (progress.isPaused()) {
    return false;
  }
  const previous = plus(progress.next, -1);
  const logTerm = raft.log.term(previous);
  if (typeof logTerm !== "number") {
    return logTerm !== "temporarily-unavailable" && maybeSendSnapshot(raft, to, progress);
  }
  // A follower whose window is full gets an empty message only, which keeps it from waiting for ever.
  const throttled = progress.state === "StateReplicate" && progress.inflights.full();
  const entries = throttled
    ? NO_ENTRIES
    : raft.log.entries(progress.next, raft.config.maxSizePerMessageBytes);
  if (typeof entries === "string") {
    // What storage is fetching can be sent at the next occasion; what it lost needs a snapshot.
    const missing = entries !== "temporarily-unavailable" && sendIfEmpty;
    return missing && maybeSendSnapshot(raft, to, progress);
  }
  if (entries.length === 0 && !sendIfEmpty) {
    return false;
  }
  const commit = raft.log.committed;
  raft.send({ type: "MsgApp", to, index: previous, logTerm, entries, commit });
  progress.sentEntries(entries.length, payloadsSizeBytes(entries));
  progress.sentCommit(commit);
  return true;
}

/** Leader: a round of heartbeats, which asks to confirm the reads that wait. */
export function broadcastHeartbeat(raft: Raft): void {
  broadcastHeartbeatWith(raft, raft.pendingReads.heartbeatContext());
}

/** Leader: a round of heartbeats with a context that the answers repeat. */
export function broadcastHeartbeatWith(raft: Raft, context: Uint8Array | undefined): void {
  for (const id of raft.tracker.ids) {
    if (id !== raft.id) {
      sendHeartbeat(raft, id, context);
    }
  }
}

function sendHeartbeat(raft: Raft, to: PeerId, context: Uint8Array | undefined): void {
  const progress = progressOf(raft, to);
  // The follower may lack entries up to the commit index, and must not commit others in their place.
  const commit = minIndex(progress.match, raft.log.committed);
  raft.send({ type: "MsgHeartbeat", to, commit, context });
  progress.sentCommit(commit);
}

/** Follower: takes a leader's entries, or tells where its own log may meet the leader's. */
export function handleAppend(raft: Raft, message: Message): void {
  const { from: to } = message;
  const index = plus(message.index, 0);
  if (index < raft.log.committed) {
    raft.send({ type: "MsgAppResp", to, index: raft.log.committed });
    return;
  }
  const logTerm = termOf(message.logTerm);
  const last = raft.log.maybeAppend({ term: logTerm, index }, message.entries, plus(message.commit, 0));
  if (last !== undefined) {
    raft.send({ type: "MsgAppResp", to, index: last });
    return;
  }
  raft.logger.debug(
    `${raft.name} [logterm: ${raft.log.termOrZero(index)}, index: ${index}] rejected MsgApp ` +
      `[logterm: ${logTerm}, index: ${index}] from ${hex(message.from)}`,
  );
  // The leader skips whole terms that cannot match, by this hint, instead of probing one index at a time.
  const end = minIndex(index, raft.log.lastIndex());
  const hint = raft.log.findConflictByTerm(end, logTerm);
  raft.send({ type: "MsgAppResp", to, index, reject: true, rejectHint: hint.index, logTerm: hint.term });
}

/** Follower: takes a leader's heartbeat. */
export function handleHeartbeat(raft: Raft, message: Message): void {
  raft.log.commitAcknowledged(plus(message.commit, 0));
  raft.send({ type: "MsgHeartbeatResp", to: message.from, context: message.context });
}

function progressOf(raft: Raft, id: PeerId): Progress {
  const progress = raft.tracker.progress.get(id);
  assert(progress !== undefined, `the receiver ${id} is in the configuration`);
  return progress;
}

function termOf(term: Term | 0): Term {
  return term as Term;
}

const NO_ENTRIES: readonly Entry[] = [];
