import type { SeenRow } from "../check/history.ts";
import type { Violation } from "../check/violation.ts";
import { ClientLoops, type WorkloadOptions } from "./client-loops.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Workload } from "./workload.ts";

export interface PrefixWorkloadOptions extends WorkloadOptions {
  /** Stands before the keys of each client, by its place: which Region they lie in. */
  readonly prefixOf: (place: number) => string;
}

/** Rows of a page, so that a scan takes several. */
const PAGE_SIZE = 7;

/** What one client wrote: nobody else writes its keys. */
interface Own {
  readonly prefix: string;
  readonly acknowledged: Map<string, string>;
  /** Not known to be there. Once seen, they are. */
  readonly undetermined: Map<string, string>;
  count: number;
}

/**
 * The client loop of the fault scenarios: half the calls put `"<client> <n>"` as `"x <client> <n> y"`, the others scan
 * the client's own keys, which must be what it wrote so far.
 */
export class PrefixWorkload implements Workload {
  readonly violations: Violation[] = [];
  readonly #own: readonly Own[];
  readonly #loops: ClientLoops;

  constructor(options: PrefixWorkloadOptions) {
    this.#own = options.clients.map(({ name }, place) => ({
      prefix: `${options.prefixOf(place)}${name} `,
      acknowledged: new Map(),
      undetermined: new Map(),
      count: 0,
    }));
    this.#loops = new ClientLoops(options, (client, place) => {
      const own = this.#own[place] as Own;
      return options.random.nextInt(2) === 0 ? this.#put(client, own) : this.#scan(client, own);
    });
  }

  stop(): Promise<void> {
    return this.#loops.stop();
  }

  async finish(client: RecordedClient): Promise<void> {
    for (const own of this.#own) {
      await this.#scan(client, own, true);
    }
  }

  async #put(client: RecordedClient, own: Own): Promise<void> {
    const place = own.count++;
    const key = `${own.prefix}${place}`;
    const value = `x ${client.name} ${place} y`;
    const { outcome } = await client.put(key, value);
    if (outcome === "ok") {
      own.acknowledged.set(key, value);
    } else if (outcome === "unknown") {
      own.undetermined.set(key, value);
    }
  }

  async #scan(client: RecordedClient, own: Own, mustSucceed = false): Promise<void> {
    const { prefix } = own;
    const range = { start: prefix, end: `${prefix.slice(0, -1)}!`, pageSize: PAGE_SIZE };
    const ended = await client.scan(range);
    if (ended.outcome === "ok") {
      this.#compare(client.name, own, ended.result);
    } else if (mustSucceed) {
      throw ended.error;
    }
  }

  #compare(name: string, own: Own, rows: readonly SeenRow[]): void {
    const found = new Map(rows.map(({ key, value }) => [key, value]));
    const problems: string[] = [];
    for (const [key, value] of found) {
      const expected = own.acknowledged.get(key) ?? own.undetermined.get(key);
      if (value !== expected) {
        problems.push(`"${key}" is "${value}" and was never written so`);
      }
      own.acknowledged.set(key, value);
      own.undetermined.delete(key);
    }
    for (const key of own.acknowledged.keys()) {
      if (!found.has(key)) {
        problems.push(`"${key}" was acknowledged, or seen, and is missing`);
      }
    }
    if (problems.length > 0) {
      this.violations.push({
        name: "own writes",
        message: `${name} scans ${own.prefix}: ${problems.join("; ")}`,
      });
    }
  }
}
