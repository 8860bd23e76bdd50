import type { RdbClient } from "@flaredb/rdb-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { everyStoreHasEverything } from "./caught-up.ts";
import { TestCluster } from "./cluster.ts";
import { waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

/** One for each of the two Regions. */
const PREFIXES = ["a/", "z/"] as const;
/** The SDK's own. */
const DEADLINE_MS = 10_000;
const COUNTERS = ["b/1", "b/2", "y/1", "y/2"];

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ initialRegions: "m" });
}, 60_000);
afterAll(() => cluster.dispose());

/** Counts up one key, each step on condition of the one before, until told to stop. */
class Counter {
  readonly key: string;
  #count = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(client: RdbClient, key: string) {
    this.key = key;
    this.#done = this.#run(client);
    // Told by `stop`.
    this.#done.catch(() => {});
  }

  /** @returns how far it came. @throws what a step failed with, or that one was told that it had not happened */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#done;
    return this.#count;
  }

  async #run(client: RdbClient): Promise<void> {
    let expected: { readonly absent: true } | { readonly version: number } = { absent: true };
    while (!this.#isStopped) {
      const next = String(this.#count + 1);
      const swap = await client.compareAndSwap(this.key, expected, next, { deadlineMs: DEADLINE_MS });
      if (!swap.succeeded || swap.version === undefined) {
        throw new Error(`nobody else writes ${this.key}, yet version ${swap.version} was met at ${next}`);
      }
      expected = { version: swap.version };
      this.#count++;
    }
  }
}

describe("leaders that are killed under load", () => {
  test("every write is answered within its deadline, and applied exactly once", async () => {
    const client = await cluster.connect();
    const counters = COUNTERS.map((key) => new Counter(client, key));
    const options = { prefixes: PREFIXES, concurrency: 64, valueBytes: 128, deadlineMs: DEADLINE_MS };
    const workload = new Workload(client, options);
    for (const prefix of [...PREFIXES, ...PREFIXES]) {
      await waitFor("puts to be under way", 30_000, () =>
        workload.firstAnswerMs(prefix, performance.now() - 1_000),
      );
      const leader = await cluster.leaderOf(prefix);
      const killedMs = performance.now();
      await leader.kill();
      await waitFor(`puts under ${prefix}`, 30_000, () => workload.firstAnswerMs(prefix, killedMs));
      await leader.launch();
      await everyStoreHasEverything(cluster);
    }
    await workload.stop();
    const counts = await Promise.all(counters.map((counter) => counter.stop()));

    expect(workload.failures).toEqual([]);
    expect(await workload.lost(client)).toEqual([]);
    const values = await client.batchGet(COUNTERS);
    expect(values.map((row) => Number(row?.text()))).toEqual(counts);
    // A Region's revision counts what was applied to it: were one write applied twice, it would be ahead.
    for (const [half, prefix] of PREFIXES.entries()) {
      const { revision } = await client.put(`${prefix}last`, "");
      const steps = counts.slice(half * 2, half * 2 + 2).reduce((sum, count) => sum + count, 0);
      expect(revision).toBe(workload.countOf(prefix) + steps + 1);
    }
    expect(cluster.unexpectedEnds()).toEqual([]);
  }, 300_000);
});
