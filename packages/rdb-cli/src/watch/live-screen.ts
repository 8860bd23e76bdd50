import type { Io } from "../io.ts";

// The alternate screen, no cursor, and no wrapping: a line that is too long ends at the edge.
const ENTER = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const LEAVE = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE_REST = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** Lines of a terminal that does not say how many it has. */
const DEFAULT_ROWS = 24;

/** A text on a terminal that is replaced in place, without flicker; what stood there before comes back at the end. */
export class LiveScreen {
  readonly #io: Io;
  #lastText = "";

  constructor(io: Io) {
    this.#io = io;
    io.stdout.write(ENTER);
  }

  /** Shows as much of the text as there are lines on the terminal now. */
  draw(text: string): void {
    this.#lastText = text;
    const lines = text
      .trimEnd()
      .split("\n")
      .slice(0, this.#io.rows ?? DEFAULT_ROWS);
    const body = lines.map((line) => `${line}${CLEAR_LINE_REST}`).join("\r\n");
    this.#io.stdout.write(`${HOME}${body}${CLEAR_BELOW}`);
  }

  /** Gives the terminal back, with what was shown last. */
  close(): void {
    this.#io.stdout.write(`${LEAVE}${this.#lastText}`);
  }
}
