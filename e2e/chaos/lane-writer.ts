import type { RdbClient } from "@flaredb/rdb-client";
import { pause } from "../wait.ts";
import { GapTracker } from "./gap-tracker.ts";

/** Beyond every fault: a write that fails is one that could not be made although it waited that long. */
const DEADLINE_MS = 60_000;
/** In flight of each lane. */
const CONCURRENCY = 2;
/** Rest of a writer after each answer: faults, not load, are what a run is about. */
const PAUSE_MS = 15;
const VALUE_BYTES = 400;

/**
 * Puts rows of one part of the key space, each once and in order, and notes what was acknowledged and when. Every row
 * that was must be there in the end.
 */
export class LaneWriter {
  readonly prefix: string;
  readonly gaps = new GapTracker();
  readonly #client: RdbClient;
  readonly #acknowledged = new Set<number>();
  readonly #failures: string[] = [];
  readonly #writers: Promise<void>[];
  #begunCount = 0;
  #lastStartMs = 0;
  #stopping = false;

  /** Starts at once. */
  constructor(client: RdbClient, prefix: string) {
    this.#client = client;
    this.prefix = prefix;
    this.#writers = Array.from({ length: CONCURRENCY }, () => this.#write());
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  /** Writes that were given up, in words; nothing is promised of them. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** Whether a write was acknowledged that began after `sinceMs`. */
  hasWrittenSince(sinceMs: number): boolean {
    return this.#lastStartMs > sinceMs;
  }

  /** Lets the writes in flight end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#writers);
  }

  /** Reads all rows back. @returns in words what was acknowledged and is not there */
  async lost(client: RdbClient): Promise<string[]> {
    const found = new Map<string, string>();
    for await (const row of client.scan({ prefix: this.prefix })) {
      found.set(row.keyText(), row.text());
    }
    return [...this.#acknowledged].flatMap((place) => {
      const key = this.#key(place);
      const value = found.get(key);
      if (value === this.#value(key)) {
        return [];
      }
      return [value === undefined ? `${key} is missing` : `${key} has another value`];
    });
  }

  async #write(): Promise<void> {
    while (!this.#stopping) {
      const place = this.#begunCount++;
      const key = this.#key(place);
      const startMs = performance.now();
      try {
        await this.#client.put(key, this.#value(key), { deadlineMs: DEADLINE_MS });
        this.#acknowledged.add(place);
        this.#lastStartMs = Math.max(this.#lastStartMs, startMs);
        this.gaps.acknowledged(performance.now());
      } catch (error) {
        this.#failures.push(`${key}: ${String(error)}`);
      }
      await pause(PAUSE_MS);
    }
  }

  #key(place: number): string {
    return `${this.prefix}${place.toString().padStart(9, "0")}`;
  }

  #value(key: string): string {
    return `${key}:`.padEnd(VALUE_BYTES, ".");
  }
}
