import type { RdbClient } from "@flaredb/rdb-client";
import { pause } from "../wait.ts";
import { GapTracker } from "./gap-tracker.ts";
import { LaneRows } from "./lane-rows.ts";

/**
 * Beyond every fault: a write that fails is one that could not be made although it waited that long. Past it a Store
 * would not tell any more whether it was applied.
 */
const DEADLINE_MS = 60_000;
/** In flight of each lane. */
const CONCURRENCY = 2;
/** Rest of a writer after each answer: faults, not load, are what a run is about. */
const PAUSE_MS = 15;
/** Of those that are told. */
const FAILURES_MAX_COUNT = 100;

/**
 * Puts rows of one part of the key space, each once and in order, and notes what was acknowledged and when. Every row
 * that was must be there until it is deleted, and not after that.
 */
export class LaneWriter {
  readonly gaps = new GapTracker();
  readonly #client: RdbClient;
  readonly #rows: LaneRows;
  readonly #failures: string[] = [];
  readonly #writers: Promise<void>[];
  #lastStartMs = 0;
  #stopping = false;

  /** Starts at once. */
  constructor(client: RdbClient, prefix: string) {
    this.#client = client;
    this.#rows = new LaneRows(prefix);
    this.#writers = Array.from({ length: CONCURRENCY }, () => this.#write());
  }

  get acknowledgedCount(): number {
    return this.#rows.acknowledgedCount;
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

  /** Reads all rows back. @returns in words what is not as it should be */
  async readBack(client: RdbClient): Promise<string[]> {
    return this.#rows.problems(await read(client, { prefix: this.#rows.prefix }));
  }

  /** Where there are many rows, reads the older ones back and deletes them. @returns as {@link readBack} */
  async thinOut(client: RdbClient): Promise<string[]> {
    const { duePlace, prefix } = this.#rows;
    if (duePlace === undefined) {
      return [];
    }
    const older = { start: prefix, end: this.#rows.keyAt(duePlace) };
    const problems = this.#rows.problems(await read(client, older), duePlace);
    await client.deleteRange(older, { deadlineMs: DEADLINE_MS });
    this.#rows.deletedBefore(duePlace);
    return problems;
  }

  async #write(): Promise<void> {
    while (!this.#stopping) {
      const { place, key, value } = this.#rows.begin();
      const startMs = performance.now();
      try {
        await this.#client.put(key, value, { deadlineMs: DEADLINE_MS });
        this.#rows.acknowledged(place);
        this.#lastStartMs = Math.max(this.#lastStartMs, startMs);
        this.gaps.acknowledged(performance.now());
      } catch (error) {
        this.#rows.gaveUp(place);
        if (this.#failures.length < FAILURES_MAX_COUNT) {
          this.#failures.push(`${key}: ${String(error)}`);
        }
      }
      await pause(PAUSE_MS);
    }
  }
}

async function read(
  client: RdbClient,
  range: { readonly prefix: string } | { readonly start: string; readonly end: string },
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const row of client.scan(range)) {
    found.set(row.keyText(), row.text());
  }
  return found;
}
