import type { Io } from "../io.ts";

const CLEAR_LINE = "\r\u001b[2K";

/**
 * What a command is waiting for, on stderr: on a terminal one line that is written over, otherwise a line whenever the
 * text changes. Silent with --json.
 */
export class ProgressLine {
  readonly #io: Io;
  readonly #isSilent: boolean;
  readonly #startedMs = performance.now();
  #lastText: string | undefined;

  constructor(io: Io, isSilent: boolean) {
    this.#io = io;
    this.#isSilent = isSilent;
  }

  show(text: string): void {
    const { stderr, progressColumns } = this.#io;
    if (this.#isSilent || (progressColumns === undefined && text === this.#lastText)) {
      return;
    }
    this.#lastText = text;
    const elapsed = ` (${formatElapsed(performance.now() - this.#startedMs)})`;
    if (progressColumns === undefined) {
      stderr.write(`${text}${elapsed}\n`);
      return;
    }
    // A line that wraps could not be written over. The last column is left: some terminals wrap there already.
    stderr.write(`${CLEAR_LINE}${cut(text, progressColumns - elapsed.length - 1)}${elapsed}`);
  }

  /** Makes room for what is said at the end. */
  clear(): void {
    if (this.#lastText !== undefined && this.#io.progressColumns !== undefined) {
      this.#io.stderr.write(CLEAR_LINE);
    }
  }
}

/** How long something took, as people read it: `3.2 s`, `1 min 5 s`. */
export function formatElapsed(durationMs: number): string {
  const seconds = durationMs / 1000;
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
