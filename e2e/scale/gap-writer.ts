import type { RdbClient } from "@flaredb/rdb-client";
import { pause } from "../wait.ts";

const PUT_DEADLINE_MS = 60_000;
const VALUE = new Uint8Array(256);

/** Writes one key again and again, and knows for how long no write was acknowledged. */
export class GapWriter {
  readonly #client: RdbClient;
  readonly #key: string;
  readonly #pauseMs: number;
  readonly #failures: string[] = [];
  readonly #running: Promise<void>;
  #isStopping = false;
  #lastBegunMs = 0;
  #lastAcknowledgedMs = performance.now();
  #longestGapMs = 0;

  /** Starts at once. @param pauseMs between an answer and the next write */
  constructor(client: RdbClient, key: string, pauseMs: number) {
    this.#client = client;
    this.#key = key;
    this.#pauseMs = pauseMs;
    this.#running = this.#run();
  }

  beginWindow(): void {
    this.#longestGapMs = 0;
  }

  /** The longest time without an acknowledgement that ended in the window, or has not ended yet. */
  longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastAcknowledgedMs);
  }

  /** Whether a write that was begun at or after this moment was acknowledged. */
  begunAndAcknowledgedSince(atMs: number): boolean {
    return this.#lastBegunMs >= atMs;
  }

  /** Begins no more writes. @returns those that failed, in words */
  async stop(): Promise<readonly string[]> {
    this.#isStopping = true;
    await this.#running;
    return this.#failures;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      const begunMs = performance.now();
      try {
        await this.#client.put(this.#key, VALUE, { deadlineMs: PUT_DEADLINE_MS });
        const nowMs = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastAcknowledgedMs);
        this.#lastAcknowledgedMs = nowMs;
        this.#lastBegunMs = begunMs;
      } catch (error) {
        this.#failures.push(`${this.#key}: ${String(error)}`);
      }
      await pause(this.#pauseMs);
    }
  }
}
