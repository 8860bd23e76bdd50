import type { Raft } from "./raft.ts";
import { type Entry, LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "./messages.ts";
import { newMessage } from "./new-message.ts";
import type { Ready } from "./ready.ts";

/** What of a Ready the append thread has to make durable. */
type AppendPart = Pick<Ready, "entries" | "hardState" | "snapshot">;

/**
 * The append thread's work: make entries, hard state and snapshot durable, then deliver the responses. Undefined
 * when there is none.
 */
export function newStorageAppend(raft: Raft, part: AppendPart): Message | undefined {
  const { entries, hardState, snapshot } = part;
  const waiting = raft.messagesAfterAppend;
  if (entries.length === 0 && hardState === undefined && snapshot === undefined && waiting.length === 0) {
    return undefined;
  }
  const ack = newStorageAppendResponse(raft, part);
  return newMessage({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    from: raft.id,
    entries,
    term: hardState?.term ?? 0,
    vote: hardState?.vote ?? 0,
    commit: hardState?.commit ?? 0,
    snapshot,
    responses: ack === undefined ? waiting : [...waiting, ack],
  });
}

/**
 * What tells the core that its entries are durable; undefined when it waits for none.
 *
 * It names the last entry of the log at the time of the Ready, and the term at that time, rather than the entries
 * of this append only. An entry may be replaced and come back: entries a, b, a of the same index are appended in
 * this order, and the first a's response must not confirm the second a, which is not durable yet. As it carries
 * the term in which it was made, and a leader's term rises before it can replace entries, the response is ignored
 * as one of an earlier term; and since each response covers the whole log, a later one confirms what this
 * one would have.
 */
export function newStorageAppendResponse(raft: Raft, part: AppendPart): Message | undefined {
  const hasUnstable = raft.log.unstable.length > 0;
  if (!hasUnstable && part.snapshot === undefined) {
    return undefined;
  }
  const last = hasUnstable ? raft.log.lastEntryId() : undefined;
  return newMessage({
    type: "MsgStorageAppendResp",
    to: raft.id,
    from: LOCAL_APPEND_THREAD,
    term: raft.term,
    logTerm: last?.term ?? 0,
    index: last?.index ?? 0,
    snapshot: part.snapshot,
  });
}

/** The apply thread's work: apply committed entries, then deliver the response. */
export function newStorageApply(raft: Raft, entries: readonly Entry[]): Message {
  return newMessage({
    type: "MsgStorageApply",
    to: LOCAL_APPLY_THREAD,
    from: raft.id,
    entries,
    responses: [newStorageApplyResponse(raft, entries)],
  });
}

/** What tells the core that entries are applied. */
export function newStorageApplyResponse(raft: Raft, entries: readonly Entry[]): Message {
  return newMessage({ type: "MsgStorageApplyResp", to: raft.id, from: LOCAL_APPLY_THREAD, entries });
}
