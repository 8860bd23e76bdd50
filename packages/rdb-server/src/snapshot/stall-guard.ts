import { type Clock, RdbError, type Timer } from "@flaredb/rdb-base";

/** Notices that a transfer stands still: `signal` fires when `progressed` was not called for `timeoutMs`. */
export class StallGuard {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.progressed();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  progressed(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(this.#timeoutMs, () =>
      this.abort(new RdbError("RDB_UNAVAILABLE", `the transfer stood still for ${this.#timeoutMs} ms`)),
    );
  }

  abort(reason: RdbError): void {
    this.stop();
    this.#controller.abort(reason);
  }

  /** Watches no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  /** The promise's result, or the reason of an abort that comes first; then what becomes of the promise is no matter. */
  async orStalled<Result>(promise: Promise<Result>): Promise<Result> {
    const { signal } = this;
    if (signal.aborted) {
      promise.catch(() => {
        // Nobody waits for it any more: unhandled, its failure would end the Store.
      });
      throw signal.reason as RdbError;
    }
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal.reason as RdbError);
    signal.addEventListener("abort", onAbort);
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}
