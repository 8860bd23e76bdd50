import type { Clock } from "./clock.ts";
import type { LogFields, Logger } from "./logger.ts";
import { MINUTE_MS } from "./units.ts";

/** A line is told once in this time. */
const WINDOW_MS = MINUTE_MS;
/** Different lines in this time; what others do must not fill the log. */
const LINES_MAX_COUNT = 16;

/**
 * Logs what callers can make happen as often as they like: each event once in a minute, and no more than 16 different
 * ones. What was left out is counted, and told with the next line of a later minute.
 */
export class WindowedLog {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #logger: Logger;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  readonly #told = new Set<string>();
  #leftOutCount = 0;

  constructor(clock: Pick<Clock, "monotonicMs">, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param event what counts as the same */
  warn(event: string, fields: LogFields, message: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#told.clear();
    }
    if (this.#told.has(event) || this.#told.size >= LINES_MAX_COUNT) {
      this.#leftOutCount++;
      return;
    }
    this.#told.add(event);
    const leftOut = this.#leftOutCount > 0 ? { leftOutBefore: this.#leftOutCount } : {};
    this.#leftOutCount = 0;
    this.#logger.warn({ ...fields, ...leftOut }, message);
  }
}
