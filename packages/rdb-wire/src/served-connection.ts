import type { Clock, Timer } from "@flaredb/rdb-base";
import type { Http2Session, ServerCall } from "./http2-driver.ts";
import { Keepalive } from "./keepalive.ts";
import type { ListenCounts } from "./listen-counts.ts";
import type { ListenLimits } from "./listen-limits.ts";

export interface ServedConnectionOptions {
  readonly clock: Clock;
  readonly limits: ListenLimits;
  readonly counts: ListenCounts;
}

/**
 * One connection, as its server sees it. It is cut when the other side falls silent, and sent away when no call was open
 * on it for `idleTimeoutMs`: a living one that wants nothing takes a place that others could have. Who still wants
 * something connects again.
 */
export class ServedConnection {
  readonly #session: Http2Session;
  readonly #options: ServedConnectionOptions;
  readonly #keepalive: Keepalive;
  #callCount = 0;
  /** Meaningful while no call is open. */
  #idleSinceMs: number;
  #timer: Timer | undefined;

  constructor(session: Http2Session, options: ServedConnectionOptions) {
    const { clock, limits, counts } = options;
    this.#session = session;
    this.#options = options;
    counts.connections.value++;
    this.#idleSinceMs = clock.monotonicMs();
    this.#keepalive = new Keepalive(
      session,
      clock,
      { intervalMs: limits.keepaliveIntervalMs, timeoutMs: limits.keepaliveTimeoutMs },
      () => {
        counts.connectionsCut.silent.value++;
        session.destroy();
      },
    );
    this.#watch(limits.idleTimeoutMs);
  }

  /** A call was opened on it. */
  called(call: ServerCall): void {
    this.#callCount++;
    if (this.#callCount === this.#options.limits.streamMaxCount) {
      this.#options.counts.fullConnections.value++;
    }
    call.on("close", () => {
      this.#callCount--;
      this.#idleSinceMs = this.#options.clock.monotonicMs();
    });
  }

  /** It is closed, by whomever. */
  closed(): void {
    this.#options.counts.connections.value--;
    this.#keepalive.stop();
    this.#timer?.cancel();
  }

  /** One timer for all calls that come and go meanwhile. */
  #watch(delayMs: number): void {
    const { clock, limits, counts } = this.#options;
    this.#timer = clock.setTimer(delayMs, () => {
      const idleMs = this.#callCount > 0 ? 0 : clock.monotonicMs() - this.#idleSinceMs;
      if (idleMs < limits.idleTimeoutMs) {
        this.#watch(limits.idleTimeoutMs - idleMs);
        return;
      }
      counts.connectionsCut.idle.value++;
      // In good order: a call that is on its way is told that it was not taken.
      this.#session.close();
      // Who does not go by himself is cut.
      this.#timer = clock.setTimer(limits.keepaliveTimeoutMs, () => this.#session.destroy());
    });
  }
}
