import { RdbError } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";

/** One put that was answered; times are on the monotonic clock. */
interface Acknowledged {
  readonly value: string;
  readonly startedMs: number;
  readonly answeredMs: number;
}

export interface WorkloadOptions {
  /** The first part of each key decides on its Region; keys are spread evenly over all. */
  readonly prefixes: readonly string[];
  /** Puts in flight. */
  readonly concurrency: number;
  readonly valueBytes: number;
  /** Deadline of each put. */
  readonly deadlineMs?: number;
}

const DEFAULT_DEADLINE_MS = 30_000;
/** A writer ends after so many: of a client that was closed, or a cluster that is gone, every put fails at once. */
const FAILURE_MAX_COUNT = 1_000;

/**
 * Writers that put each key once, with a value of its own, as fast as they are answered, and remember what was
 * acknowledged: whatever happens to the cluster meanwhile, that must be there after.
 */
export class Workload {
  readonly #client: RdbClient;
  readonly #options: WorkloadOptions;
  readonly #acknowledged = new Map<string, Acknowledged>();
  readonly #failures: RdbError[] = [];
  readonly #writers: Promise<void>[];
  #sequence = 0;
  #stopping = false;

  /** Starts at once. */
  constructor(client: RdbClient, options: WorkloadOptions) {
    this.#client = client;
    this.#options = options;
    this.#writers = Array.from({ length: options.concurrency }, () => this.#write());
  }

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  /** Of those whose keys begin with `prefix`. */
  countOf(prefix: string): number {
    return [...this.#acknowledged.keys()].filter((key) => key.startsWith(prefix)).length;
  }

  /** Puts that were not acknowledged in time; nothing is promised about them. */
  get failures(): readonly RdbError[] {
    return this.#failures;
  }

  /** The first answer to a put under `prefix` that began after `sinceMs`; undefined when there was none yet. */
  firstAnswerMs(prefix: string, sinceMs: number): number | undefined {
    let first: number | undefined;
    for (const [key, { startedMs, answeredMs }] of this.#acknowledged) {
      if (key.startsWith(prefix) && startedMs >= sinceMs && (first === undefined || answeredMs < first)) {
        first = answeredMs;
      }
    }
    return first;
  }

  /** Lets the puts in flight end. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#writers);
  }

  /** Reads everything back with `client`; returns in words what is missing or wrong. */
  async lost(client: RdbClient): Promise<string[]> {
    const found = new Map<string, string>();
    for (const prefix of this.#options.prefixes) {
      for await (const row of client.scan({ prefix })) {
        found.set(decode(row.key), decode(row.value));
      }
    }
    return [...this.#acknowledged].flatMap(([key, { value }]) => {
      const present = found.get(key);
      if (present === value) {
        return [];
      }
      return [present === undefined ? `${key} is missing` : `${key} has another value`];
    });
  }

  async #write(): Promise<void> {
    const { prefixes, valueBytes, deadlineMs = DEFAULT_DEADLINE_MS } = this.#options;
    while (!this.#stopping && this.#failures.length < FAILURE_MAX_COUNT) {
      const sequence = this.#sequence++;
      const key = `${prefixes[sequence % prefixes.length]}${sequence.toString().padStart(9, "0")}`;
      const value = `${key}:`.padEnd(valueBytes, ".");
      const startedMs = performance.now();
      try {
        await this.#client.put(key, value, { deadlineMs });
        this.#acknowledged.set(key, { value, startedMs, answeredMs: performance.now() });
      } catch (error) {
        this.#failures.push(RdbError.from(error));
      }
    }
  }
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
