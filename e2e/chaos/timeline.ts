import type { Load } from "./load.ts";

const INTERVAL_MS = 1_000;
const BAR_WIDTH = 24;
const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** One second of a run. */
export interface Sample {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  readonly writesPerSecond: number;
  /** Of registers and client loops. */
  readonly callsPerSecond: number;
}

/** Prints what happens as it happens: a line each second, and one for each event. */
export class Timeline {
  readonly samples: Sample[] = [];
  readonly #startedMs = performance.now();
  readonly #load: Load;
  readonly #print: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #fault = "";
  #peak = 1;
  #last = { atMs: performance.now(), writes: 0, calls: 0 };

  constructor(load: Load, print: (line: string) => void) {
    this.#load = load;
    this.#print = print;
  }

  /** Milliseconds since the run began. */
  nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  start(): void {
    this.#print("  time  writes/s                             calls/s  longest gap  fault");
    this.#timer = setInterval(() => this.#line(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is on from now on; empty: nothing. */
  setFault(name: string): void {
    this.#fault = name;
  }

  /** Something that a reader should see at its time. */
  event(text: string): void {
    this.#print(`${this.#time()}  ── ${text}`);
  }

  #line(): void {
    const nowMs = performance.now();
    const { writeCount, callCount } = this.#load;
    const perSecond = (from: number, to: number): number =>
      Math.round(((to - from) * 1000) / (nowMs - this.#last.atMs));
    const writesPerSecond = perSecond(this.#last.writes, writeCount);
    const callsPerSecond = perSecond(this.#last.calls, callCount);
    this.#last = { atMs: nowMs, writes: writeCount, calls: callCount };
    this.samples.push({ atMs: this.nowMs(), writesPerSecond, callsPerSecond });
    this.#peak = Math.max(this.#peak, writesPerSecond);
    const cells = [
      String(writesPerSecond).padStart(8),
      bar(writesPerSecond / this.#peak),
      String(callsPerSecond).padStart(9),
      `${(this.#load.longestGapMs(nowMs) / 1000).toFixed(2)} s`.padStart(11),
      this.#fault,
    ];
    this.#print(`${this.#time()}  ${cells.join("  ")}`.trimEnd());
  }

  #time(): string {
    const total = Math.floor(this.nowMs() / 1000);
    const [minutes, rest] = [Math.floor(total / 60), total % 60];
    return `${String(minutes).padStart(3)}:${String(rest).padStart(2, "0")}`;
  }
}

/** A part of 1 as a bar of a fixed width. */
function bar(part: number): string {
  const eighths = Math.round(part * BAR_WIDTH * 8);
  return `${"█".repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8]}`.padEnd(BAR_WIDTH);
}
