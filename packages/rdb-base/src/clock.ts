/** A pending call of {@link Clock.setTimer}. */
export interface Timer {
  /** The call will not be made. No effect when it was made already. */
  cancel(): void;
}

/** Time as the program sees it. Injected, so that the simulator can run it. */
export interface Clock {
  /** Milliseconds since 1970. May jump in both directions: for people and log time only. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start, with fractions. Never goes back. */
  monotonicMs(): number;
  /** Calls once, after at least `delayMs`. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls once, after what is pending now: how a loop yields. */
  setImmediate(callback: () => void): void;
}
