import { expect } from "vitest";
import type { ElasticCluster } from "./elastic-cluster.ts";

/** Puts in flight while something changes. */
const WRITERS = 8;

/** Rows whose values never change, however often they are put: whatever happens to the cluster, they are what it has. */
export class SteadyRows {
  readonly #cluster: ElasticCluster;
  readonly #count: number;

  constructor(cluster: ElasticCluster, count: number) {
    this.#cluster = cluster;
    this.#count = count;
  }

  /** Puts each for the first time. */
  async put(): Promise<void> {
    const client = await this.#cluster.connect();
    await Promise.all(this.#places().map((at) => client.put(steadyKey(at), valueOf(at))));
  }

  /** They are all there, and nothing else is. */
  async expectAll(): Promise<void> {
    const client = await this.#cluster.connect();
    const rows: string[] = [];
    for await (const row of client.scan()) {
      rows.push(`${Buffer.from(row.key).toString()} ${row.text()}`);
    }
    expect(rows).toEqual(this.#places().map((at) => `${steadyKey(at)} ${valueOf(at)}`));
  }

  /** Puts them over and over until `change` is done; none may fail. */
  async expectWritesWhile(change: () => Promise<unknown>): Promise<void> {
    const client = await this.#cluster.connect();
    const failures: unknown[] = [];
    let count = 0;
    let isChanging = true;
    const write = async (): Promise<void> => {
      while (isChanging) {
        const at = count++ % this.#count;
        await client.put(steadyKey(at), valueOf(at)).catch((error: unknown) => failures.push(error));
      }
    };
    const writers = Array.from({ length: WRITERS }, write);
    await change().finally(() => {
      isChanging = false;
    });
    await Promise.all(writers);
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThan(WRITERS);
  }

  #places(): number[] {
    return Array.from({ length: this.#count }, (_, at) => at);
  }
}

/** Keys in the order of their places, below 1,000. */
export function steadyKey(at: number): string {
  return `key/${at.toString().padStart(3, "0")}`;
}

function valueOf(at: number): string {
  return `value ${at}`;
}
