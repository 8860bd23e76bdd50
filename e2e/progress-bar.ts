const WIDTH = 30;
const REDRAW_INTERVAL_MS = 100;
/** Where there is no terminal, a line each tenth. */
const LINES_WITHOUT_TERMINAL = 10;

/** How far a long work is, with its rate, on stderr. */
export class ProgressBar {
  readonly #title: string;
  readonly #total: number;
  readonly #startedMs = performance.now();
  #done = 0;
  #drawnMs = 0;
  #linesPrinted = 0;

  constructor(title: string, total: number) {
    this.#title = title;
    this.#total = total;
  }

  advance(): void {
    this.#done++;
    if (process.stderr.isTTY) {
      this.#redraw();
    } else {
      this.#printTenths();
    }
  }

  finish(): void {
    if (process.stderr.isTTY) {
      process.stderr.write(`\r${this.#line()}\n`);
    }
  }

  #redraw(): void {
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs >= REDRAW_INTERVAL_MS) {
      this.#drawnMs = nowMs;
      process.stderr.write(`\r${this.#line()}`);
    }
  }

  #printTenths(): void {
    const due = Math.floor((this.#done / this.#total) * LINES_WITHOUT_TERMINAL);
    if (due > this.#linesPrinted) {
      this.#linesPrinted = due;
      process.stderr.write(`${this.#line()}\n`);
    }
  }

  #line(): string {
    const fraction = this.#done / this.#total;
    const filled = Math.round(fraction * WIDTH);
    const bar = "█".repeat(filled).padEnd(WIDTH, "░");
    const rate = Math.round((this.#done * 1000) / (performance.now() - this.#startedMs));
    const percent = `${Math.floor(fraction * 100)}%`.padStart(4);
    return `${this.#title} ${bar}${percent}  ${this.#done.toLocaleString("en")}  ${rate.toLocaleString("en")}/s `;
  }
}
