import type { Io } from "../io.ts";
import { ProgressLine, formatElapsed } from "../output/progress-line.ts";
import { formatBytes } from "../output/text.ts";

/** Between two updates: of a line that is written over, and of lines below each other. */
const TERMINAL_PAUSE_MS = 200;
const LOG_PAUSE_MS = 5_000;

/** Rows and bytes that were moved so far, shown now and then. */
export class RowProgress {
  readonly #line: ProgressLine;
  readonly #pauseMs: number;
  readonly #verb: string;
  readonly #startedMs = performance.now();
  #shownMs = performance.now();
  rowCount: number;
  bytes = 0;

  /** @param rowCount what an earlier run did already */
  constructor(io: Io, options: { readonly verb: string; readonly json: boolean; readonly rowCount: number }) {
    this.#line = new ProgressLine(io, options.json);
    this.#pauseMs = io.progressColumns === undefined ? LOG_PAUSE_MS : TERMINAL_PAUSE_MS;
    this.#verb = options.verb;
    this.rowCount = options.rowCount;
  }

  add(rowCount: number, bytes: number): void {
    this.rowCount += rowCount;
    this.bytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.#shownMs >= this.#pauseMs) {
      this.#shownMs = nowMs;
      this.#line.show(this.#text);
    }
  }

  clear(): void {
    this.#line.clear();
  }

  /** What was done: `imported 3 rows, 21 B in 0.1 s`. */
  get summary(): string {
    return `${this.#text} in ${formatElapsed(performance.now() - this.#startedMs)}`;
  }

  get #text(): string {
    const rows = this.rowCount === 1 ? "1 row" : `${this.rowCount} rows`;
    return `${this.#verb} ${rows}, ${formatBytes(this.bytes)}`;
  }
}
