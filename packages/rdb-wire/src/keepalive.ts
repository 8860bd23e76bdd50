import type { Clock, Timer } from "@flaredb/rdb-base";
import type { Http2Session } from "./http2-driver.ts";

export interface KeepaliveOptions {
  /** How long a connection may be quiet before it is asked for a sign of life. */
  readonly intervalMs: number;
  /** How long the sign of life may take. */
  readonly timeoutMs: number;
}

/**
 * Notices that the other side of a connection fell silent without closing it: it was stopped, cut off or is gone.
 * Whatever arrives counts; a PING is sent only when nothing did. Death is noticed between `intervalMs + timeoutMs`
 * and `2 * intervalMs + timeoutMs` after the last sign of life.
 */
export class Keepalive {
  readonly #session: Pick<Http2Session, "destroyed" | "ping">;
  readonly #clock: Clock;
  readonly #options: KeepaliveOptions;
  readonly #onDead: () => void;
  #heard = false;
  #roundTripMs: number | undefined;
  #stopped = false;
  #timer: Timer | undefined;

  constructor(
    session: Pick<Http2Session, "destroyed" | "ping">,
    clock: Clock,
    options: KeepaliveOptions,
    onDead: () => void,
  ) {
    this.#session = session;
    this.#clock = clock;
    this.#options = options;
    this.#onDead = onDead;
    this.#ping();
    this.#watch();
  }

  /** Of the last answered PING. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Something arrived. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #watch(): void {
    this.#heard = false;
    this.#timer = this.#clock.setTimer(this.#options.intervalMs, () => {
      if (this.#heard) {
        this.#watch();
      } else {
        this.#ask();
      }
    });
  }

  #ask(): void {
    if (this.#session.destroyed) {
      return;
    }
    this.#ping();
    const askedMs = this.#clock.monotonicMs();
    this.#timer = this.#clock.setTimer(this.#options.timeoutMs, () => this.#judge(askedMs));
  }

  #ping(): void {
    // The answer is an error when the session dies meanwhile; the session's own events tell that.
    this.#session.ping((error, durationMs) => {
      if (error === null) {
        this.#heard = true;
        this.#roundTripMs = durationMs;
      }
    });
  }

  /** An answer may lie in the socket, unread because this process itself was busy: look after the reads. */
  #judge(askedMs: number): void {
    const lateMs = this.#clock.monotonicMs() - askedMs - this.#options.timeoutMs;
    this.#clock.setImmediate(() => {
      if (this.#stopped) {
        return;
      }
      if (this.#heard || lateMs > this.#options.timeoutMs) {
        // So late that this process was suspended: the question was not fairly asked.
        this.#watch();
      } else {
        this.#onDead();
      }
    });
  }
}
