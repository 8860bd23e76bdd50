import type { LogFields, Logger } from "@flaredb/rdb-base";

type Level = "debug" | "info" | "warn" | "error";

/** One line of a log. */
export interface Line {
  readonly atMs: number;
  readonly level: Level;
  readonly process: string;
  readonly fields: LogFields;
  readonly message: string;
}

/** Newest lines that are kept to explain a failure. */
const LINES_MAX_COUNT = 400;

/** What all processes of a run log. Lines become text only when somebody reads them. */
export class LogBook {
  readonly #nowMs: () => number;
  readonly #onLine: (line: Line) => void;
  /** A ring: the newest line stands before `#next`. */
  readonly #lines: Line[] = [];
  #next = 0;

  constructor(nowMs: () => number, onLine: (line: Line) => void) {
    this.#nowMs = nowMs;
    this.#onLine = onLine;
  }

  loggerOf(process: string, fields: LogFields = {}): Logger {
    const at =
      (level: Level) =>
      (more: LogFields, message: string): void =>
        this.#add({ atMs: this.#nowMs(), level, process, fields: { ...fields, ...more }, message });
    return {
      // Too much to keep, and seldom what explains a failure.
      debug: () => {},
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (more) => this.loggerOf(process, { ...fields, ...more }),
    };
  }

  /** The newest lines, oldest first. */
  tail(): string[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)].map(
      (line) => `${(line.atMs / 1_000).toFixed(4).padStart(9)} ${formatLine(line)}`,
    );
  }

  #add(line: Line): void {
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % LINES_MAX_COUNT;
    this.#onLine(line);
  }
}

/** `store-1 warn a Store fell silent (silentStore=3)`. */
export function formatLine({ level, process, fields, message }: Line): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${formatValue(value)}`);
  const inBrackets = words.length === 0 ? "" : ` (${words.join(" ")})`;
  return `${process} ${level === "info" ? "" : `${level}: `}${message}${inBrackets}`;
}

function formatValue(value: unknown): string {
  return typeof value === "object" && value !== null && !(value instanceof Error)
    ? JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))
    : String(value);
}
