import type { RdbClient } from "@flaredb/rdb-client";
import type { SeededRows } from "./seeded-rows.ts";

export interface RowWriterOptions {
  /** Puts in flight. */
  readonly concurrency: number;
  /** Stops by itself after so many rows. */
  readonly rowMaxCount: number;
  /** Of each put. Default: the SDK's. */
  readonly deadlineMs?: number;
}

/** What was acknowledged since the last look. */
export interface WriteWindow {
  readonly count: number;
  readonly durationMs: number;
  /** The longest time without an acknowledgement, the one that still lasts included. */
  readonly longestGapMs: number;
  /** Of each acknowledged put, ascending. */
  readonly latenciesMs: Float64Array;
}

/** Puts each row once, as fast as it is answered, and remembers in a bit for each which were acknowledged. */
export class RowWriter {
  readonly rows: SeededRows;
  /** Resolves when the last put was answered. */
  readonly done: Promise<void>;
  readonly #client: RdbClient;
  readonly #options: RowWriterOptions;
  readonly #acknowledged: Uint8Array;
  readonly #failures: string[] = [];
  #nextSequence = 0;
  #acknowledgedCount = 0;
  #stopping = false;
  #lastAnswerMs = performance.now();
  #longestGapMs = 0;
  #slowestMs = 0;
  #windowGapMs = 0;
  #windowStartMs = performance.now();
  #latenciesMs: number[] = [];

  /** Starts at once. */
  constructor(client: RdbClient, rows: SeededRows, options: RowWriterOptions) {
    this.#client = client;
    this.rows = rows;
    this.#options = options;
    this.#acknowledged = new Uint8Array(Math.ceil(options.rowMaxCount / 8));
    this.done = Promise.all(Array.from({ length: options.concurrency }, () => this.#write())).then(() => {});
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** Rows whose put was begun. */
  get begunCount(): number {
    return this.#nextSequence;
  }

  get acknowledgedBytes(): number {
    return this.#acknowledgedCount * this.rows.valueBytes;
  }

  /** Puts that the SDK gave up, in words. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** The longest time between two acknowledgements so far. */
  get longestGapMs(): number {
    return this.#longestGapMs;
  }

  /** The longest that an acknowledged put took. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  isAcknowledged(sequence: number): boolean {
    return ((this.#acknowledged[sequence >> 3] ?? 0) & (1 << (sequence & 7))) !== 0;
  }

  /** What happened since the last call; a new window begins. */
  takeWindow(): WriteWindow {
    const nowMs = performance.now();
    const window = {
      count: this.#latenciesMs.length,
      durationMs: nowMs - this.#windowStartMs,
      longestGapMs: Math.max(this.#windowGapMs, nowMs - Math.max(this.#lastAnswerMs, this.#windowStartMs)),
      latenciesMs: Float64Array.from(this.#latenciesMs).sort(),
    };
    this.#latenciesMs = [];
    this.#windowGapMs = 0;
    this.#windowStartMs = nowMs;
    return window;
  }

  /** Begins no more puts; resolves when those in flight are answered. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.done;
  }

  async #write(): Promise<void> {
    const { deadlineMs } = this.#options;
    const terms = deadlineMs === undefined ? {} : { deadlineMs };
    while (!this.#stopping && this.#nextSequence < this.#options.rowMaxCount) {
      const sequence = this.#nextSequence++;
      const startedMs = performance.now();
      try {
        await this.#client.put(this.rows.key(sequence), this.rows.value(sequence), terms);
        this.#acknowledge(sequence, startedMs);
      } catch (error) {
        this.#failures.push(`${this.rows.key(sequence)}: ${String(error)}`);
      }
    }
  }

  #acknowledge(sequence: number, startedMs: number): void {
    const nowMs = performance.now();
    const gapMs = nowMs - this.#lastAnswerMs;
    this.#longestGapMs = Math.max(this.#longestGapMs, gapMs);
    this.#windowGapMs = Math.max(this.#windowGapMs, gapMs);
    this.#lastAnswerMs = nowMs;
    this.#latenciesMs.push(nowMs - startedMs);
    this.#slowestMs = Math.max(this.#slowestMs, nowMs - startedMs);
    this.#acknowledgedCount++;
    this.#acknowledged[sequence >> 3] = (this.#acknowledged[sequence >> 3] ?? 0) | (1 << (sequence & 7));
  }
}

/** The value below which `fraction` of the sorted ones lie. */
export function percentile(sorted: Float64Array, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
