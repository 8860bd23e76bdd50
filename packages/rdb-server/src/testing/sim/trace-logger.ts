import type { Clock, LogFields, Logger } from "@flaredb/rdb-base";

/** Lines that are kept. */
const LINES_MAX_COUNT = 4_000;
/** Lines that a failure shows. */
const TAIL_COUNT = 60;

/** Keeps the newest log lines with their virtual time, so that a failed test can show what led to it. */
export class TraceLogger implements Logger {
  readonly #clock: Clock;
  readonly #fields: LogFields;
  readonly #lines: string[];

  constructor(clock: Clock, fields: LogFields = {}, lines: string[] = []) {
    this.#clock = clock;
    this.#fields = fields;
    this.#lines = lines;
  }

  /** Whether a line with these words was logged, and is still kept. */
  has(words: string): boolean {
    return this.#lines.some((line) => line.includes(words));
  }

  /** The lines with these words that are still kept. */
  linesWith(words: string): string[] {
    return this.#lines.filter((line) => line.includes(words));
  }

  tail(count = TAIL_COUNT): string {
    return this.#lines.slice(-count).join("\n");
  }

  debug(fields: LogFields, message: string): void {
    this.#add("debug", fields, message);
  }

  info(fields: LogFields, message: string): void {
    this.#add("info", fields, message);
  }

  warn(fields: LogFields, message: string): void {
    this.#add("warn", fields, message);
  }

  error(fields: LogFields, message: string): void {
    this.#add("error", fields, message);
  }

  child(fields: LogFields): Logger {
    return new TraceLogger(this.#clock, { ...this.#fields, ...fields }, this.#lines);
  }

  #add(level: string, fields: LogFields, message: string): void {
    const all = Object.entries({ ...this.#fields, ...fields }).map(
      ([name, value]) => `${name}=${String(value)}`,
    );
    this.#lines.push(`${this.#clock.monotonicMs().toFixed(1)} ${level} ${all.join(" ")}: ${message}`);
    if (this.#lines.length > 2 * LINES_MAX_COUNT) {
      this.#lines.splice(0, LINES_MAX_COUNT);
    }
  }
}
