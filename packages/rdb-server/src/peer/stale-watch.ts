import type { Message } from "@flaredb/rdb-raft";

/** By then a leader would have been heard of, in most cases, if there were one for it. */
const SUSPECT_SILENT_MS = 3_000;

/**
 * When a peer should ask whether it is still one of its Region's: nothing of a leader for long (DESIGN §5, Removed
 * peers). A learner that was removed while it was cut off would wait for ever, as it never campaigns. Pure.
 */
export class StaleWatch {
  readonly #staleMs: number;
  #lastContactMs: number;

  constructor(staleMs: number, nowMs: number) {
    this.#staleMs = staleMs;
    this.#lastContactMs = nowMs;
  }

  /** It leads, sleeps, or has asked just now. */
  noteContact(nowMs: number): void {
    this.#lastContactMs = nowMs;
  }

  heard(message: Message, nowMs: number): void {
    if (message.type === "MsgHeartbeat" || message.type === "MsgApp" || message.type === "MsgSnap") {
      this.noteContact(nowMs);
    }
  }

  /** Whether to ask now; yes once in the time that makes a peer stale. @param isSuspect there is reason to ask sooner */
  shouldAsk(nowMs: number, isSuspect = false): boolean {
    const silentMs = isSuspect ? Math.min(SUSPECT_SILENT_MS, this.#staleMs) : this.#staleMs;
    if (nowMs - this.#lastContactMs < silentMs) {
      return false;
    }
    this.noteContact(nowMs);
    return true;
  }
}
