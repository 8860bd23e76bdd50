import type { RaftLogger } from "../config.ts";

const LEVELS = ["debug", "info", "warn", "error", "fatal", "none"] as const;

/** From which severity on the core's log lines are printed; "none" silences the whole output. */
export type LogLevel = (typeof LEVELS)[number];

/** Reads a level in any case; undefined when there is none of that name. */
export function parseLogLevel(text: string): LogLevel | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}

/** What a block prints: the runner's own lines and the core's log lines, in the order in which they come. */
export class Output {
  level: LogLevel = "debug";
  #text = "";

  /** The core's way in. */
  readonly logger: RaftLogger = {
    debug: (message) => this.#log("debug", message),
    info: (message) => this.#log("info", message),
    warn: (message) => this.#log("warn", message),
    error: (message) => this.#log("error", message),
  };

  get isQuiet(): boolean {
    return this.level === "none";
  }

  write(text: string): void {
    if (!this.isQuiet) {
      this.#text += text;
    }
  }

  writeLine(text: string): void {
    this.write(`${text}\n`);
  }

  /** Prints what `body` prints, each line two spaces further right and each with its line's end. */
  indented(body: () => void): void {
    const before = this.#text;
    this.#text = "";
    try {
      body();
    } finally {
      this.#text = before + indentLines(this.#text);
    }
  }

  /** Everything printed since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #log(level: LogLevel, message: string): void {
    if (LEVELS.indexOf(level) >= LEVELS.indexOf(this.level)) {
      this.writeLine(`${level.toUpperCase()} ${message}`);
    }
  }
}

function indentLines(text: string): string {
  if (text === "") {
    return "";
  }
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `  ${line}\n`).join("");
}
