// How long a write with an identity is remembered, and which writes are refused because they are not (DESIGN §6). All
// peers of a Region decide by these, so they are no configuration: to change one is to change the state machine.

/** A write that was issued longer ago than this, in log time, is refused: nobody remembers whether it was applied. */
const ISSUED_MAX_AGE_MS = 60_000;
/** A write that was issued further ahead of log time than this is refused: it would have to be remembered longer. */
const ISSUED_MAX_AHEAD_MS = 5_000;

/** Whether a write may be applied at this log time, by when it was issued. */
export function isInWindow(issuedAtMs: number, logTimeMs: number): boolean {
  return issuedAtMs >= logTimeMs - ISSUED_MAX_AGE_MS && issuedAtMs <= logTimeMs + ISSUED_MAX_AHEAD_MS;
}

/**
 * Whether what an entry recorded is needed no more: whatever was in the window at the entry's log time is out of it
 * now, so that a retry is refused by its age alone.
 */
export function isOver(entryLogTimeMs: number, logTimeMs: number): boolean {
  return entryLogTimeMs + ISSUED_MAX_AHEAD_MS < logTimeMs - ISSUED_MAX_AGE_MS;
}
