import type { Expectation } from "../check/history.ts";
import type { Violation } from "../check/violation.ts";
import { ClientLoops, type WorkloadOptions } from "./client-loops.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Workload } from "./workload.ts";

export interface ListWorkloadOptions extends WorkloadOptions {
  /** Keys of the lists that the clients append to. */
  readonly keys: readonly string[];
}

/** A list that has this many tokens is full; its next one begins. */
const LIST_MAX_COUNT = 60;

/** What came of a token, as its client was told. */
type TokenState = "appended" | "undetermined" | "refused";

/**
 * Clients that append tokens to lists: read, then compare-and-swap on the version. At the end each acknowledged token
 * stands in its list exactly once, a refused one nowhere, and an undetermined one once at most.
 */
export class ListWorkload implements Workload {
  readonly violations: Violation[] = [];
  readonly #options: ListWorkloadOptions;
  readonly #loops: ClientLoops;
  /** What each token must come to, by the key of its list. */
  readonly #tokens = new Map<string, Map<string, TokenState>>();
  /** Which list of each key is filled now. */
  readonly #generations = new Map<string, number>();
  #tokenCount = 0;

  constructor(options: ListWorkloadOptions) {
    this.#options = options;
    this.#loops = new ClientLoops(options, (client) => this.#append(client));
  }

  /** Tokens that were acknowledged. */
  get appendedCount(): number {
    return [...this.#tokens.values()].reduce(
      (count, tokens) => count + [...tokens.values()].filter((state) => state === "appended").length,
      0,
    );
  }

  stop(): Promise<void> {
    return this.#loops.stop();
  }

  async finish(client: RecordedClient): Promise<void> {
    for (const [key, tokens] of this.#tokens) {
      const ended = await client.get(key);
      if (ended.outcome !== "ok") {
        throw ended.error;
      }
      this.#compare(key, tokens, tokensOf(ended.result?.value));
    }
  }

  async #append(client: RecordedClient): Promise<void> {
    const { random, keys } = this.#options;
    const base = keys[random.nextInt(keys.length)] as string;
    const key = `${base}.${this.#generations.get(base) ?? 0}`;
    const read = await client.get(key);
    if (read.outcome !== "ok") {
      return;
    }
    const list = tokensOf(read.result?.value);
    if (list.length >= LIST_MAX_COUNT) {
      this.#generations.set(base, (this.#generations.get(base) ?? 0) + 1);
      return;
    }
    const token = `${client.name}.${++this.#tokenCount}`;
    const version = read.result?.version;
    const expect: Expectation = version === undefined ? { kind: "absent" } : { kind: "version", version };
    const swap = await client.compareAndSwap(key, expect, [...list, token].join(","));
    const isAppended = swap.outcome === "ok" && swap.result.succeeded;
    const state = isAppended ? "appended" : swap.outcome === "unknown" ? "undetermined" : "refused";
    this.#note(key, token, state);
  }

  #note(key: string, token: string, state: TokenState): void {
    const tokens = this.#tokens.get(key) ?? new Map<string, TokenState>();
    tokens.set(token, state);
    this.#tokens.set(key, tokens);
  }

  #compare(key: string, tokens: ReadonlyMap<string, TokenState>, list: readonly string[]): void {
    const problems: string[] = [];
    const inList = new Set(list);
    if (inList.size < list.length) {
      problems.push(`twice: ${list.filter((token, place) => list.indexOf(token) < place).join(", ")}`);
    }
    for (const [token, state] of tokens) {
      if (state === "appended" && !inList.has(token)) {
        problems.push(`acknowledged and not there: ${token}`);
      } else if (state === "refused" && inList.has(token)) {
        problems.push(`refused and there: ${token}`);
      }
    }
    const unasked = list.filter((token) => !tokens.has(token));
    if (unasked.length > 0) {
      problems.push(`there although it was never appended: ${unasked.join(", ")}`);
    }
    if (problems.length > 0) {
      this.violations.push({
        name: "appended exactly once",
        message: `list "${key}": ${problems.join("; ")}`,
      });
    }
  }
}

function tokensOf(value: string | undefined): string[] {
  return value === undefined ? [] : value.split(",");
}
