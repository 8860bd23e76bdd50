import type { LogFields, Logger } from "@flaredb/rdb-base";
import { pino } from "pino";

/** How urgent a line must be to be logged; `silent`: none is. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const urgency: Readonly<Record<LogLevel, number>> = { debug: 1, info: 2, warn: 3, error: 4, silent: 5 };

/** Whether the second level lets fewer lines pass than the first. What is no level is neither quieter nor louder. */
export function isQuieter(from: unknown, to: unknown): boolean {
  const levels: ReadonlyMap<unknown, number> = new Map(Object.entries(urgency));
  return (levels.get(to) ?? 0) > (levels.get(from) ?? Number.POSITIVE_INFINITY);
}

/**
 * Logs as JSON lines on stdout, each written at once, so that a killed process loses none. The level can change at any
 * time, for all loggers that came of one.
 */
export class ProcessLogger implements Logger {
  readonly #sink: Logger;
  /** Shared with all children. */
  readonly #least: { urgency: number };

  /** @param sink takes every line that is to be written; default: stdout */
  static of(program: string, level: LogLevel, sink: Logger = stdout(program)): ProcessLogger {
    return new ProcessLogger(sink, { urgency: urgency[level] });
  }

  private constructor(sink: Logger, least: { urgency: number }) {
    this.#sink = sink;
    this.#least = least;
  }

  set level(level: LogLevel) {
    this.#least.urgency = urgency[level];
  }

  debug(fields: LogFields, message: string): void {
    if (this.#least.urgency <= urgency.debug) {
      this.#sink.debug(fields, message);
    }
  }

  info(fields: LogFields, message: string): void {
    if (this.#least.urgency <= urgency.info) {
      this.#sink.info(fields, message);
    }
  }

  warn(fields: LogFields, message: string): void {
    if (this.#least.urgency <= urgency.warn) {
      this.#sink.warn(fields, message);
    }
  }

  error(fields: LogFields, message: string): void {
    if (this.#least.urgency <= urgency.error) {
      this.#sink.error(fields, message);
    }
  }

  child(fields: LogFields): ProcessLogger {
    return new ProcessLogger(this.#sink.child(fields), this.#least);
  }
}

/** What is to be written is decided before. */
function stdout(program: string): Logger {
  return pino({ level: "debug", base: { program } });
}
