import type { Random } from "@flaredb/rdb-base";
import type { ReadFrom } from "@flaredb/rdb-client";
import type { Expectation, SeenRow } from "../check/history.ts";
import { ClientLoops, type WorkloadOptions } from "./client-loops.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Workload } from "./workload.ts";

export interface RegisterWorkloadOptions extends WorkloadOptions {
  /**
   * Few keys, ascending, spread over the Regions; everything happens to all of them. Ranges are deleted within one
   * group: no keys of anybody else lie between its first and its last.
   */
  readonly groups: readonly (readonly string[])[];
}

/** Of this many deletions of several keys, one is of a range: it empties much at once. */
const DELETE_RANGE_ONE_IN = 3;
/** Keys of a batch, at most. */
const BATCH_MAX_COUNT = 4;

/**
 * Clients that do everything to few keys, each value only once: puts, deletes, compares, batches, scans both ways,
 * reads of leaders and followers. What they see is judged by the history.
 */
export class RegisterWorkload implements Workload {
  readonly violations = [];
  readonly #groups: readonly (readonly string[])[];
  readonly #keys: readonly string[];
  readonly #random: Random;
  readonly #loops: ClientLoops;
  /** What somebody saw last of each key: what a compare is likely to meet. */
  readonly #lastSeen = new Map<string, SeenRow>();
  #valueCount = 0;

  constructor(options: RegisterWorkloadOptions) {
    this.#groups = options.groups;
    this.#keys = options.groups.flat();
    this.#random = options.random;
    this.#loops = new ClientLoops(options, (client) => this.#step(client));
  }

  stop(): Promise<void> {
    return this.#loops.stop();
  }

  async finish(client: RecordedClient): Promise<void> {
    for (const ended of [
      await client.batchGet(this.#keys),
      await client.scan({ start: this.#keys[0] as string, end: `${this.#keys.at(-1)}\0` }),
    ]) {
      if (ended.outcome !== "ok") {
        throw ended.error;
      }
    }
  }

  async #step(client: RecordedClient): Promise<void> {
    const key = this.#key();
    switch (this.#random.nextInt(14)) {
      case 0:
      case 1:
      case 2: {
        const value = this.#value(client);
        const ended = await client.put(key, value);
        if (ended.outcome === "ok") {
          this.#lastSeen.set(key, { key, value, version: ended.result.version });
        }
        return;
      }
      case 3:
        await client.delete(key);
        return;
      case 4:
      case 5:
        await client.compareAndSwap(key, this.#expectation(key), this.#value(client));
        return;
      case 6:
        await this.#compareAndDelete(client, key);
        return;
      case 7:
        await client.batchPut(this.#someKeys().map((each) => ({ key: each, value: this.#value(client) })));
        return;
      case 8:
        await this.#deleteSome(client);
        return;
      case 9:
        await this.#conditionalBatch(client);
        return;
      default:
        await this.#read(client, key);
    }
  }

  async #deleteSome(client: RecordedClient): Promise<void> {
    if (this.#random.nextInt(DELETE_RANGE_ONE_IN) === 0) {
      const group = this.#groups[this.#random.nextInt(this.#groups.length)] as readonly string[];
      const [start, end] = this.#rangeOf(group);
      await client.deleteRange(start, end);
    } else {
      await client.batchDelete(this.#someKeys());
    }
  }

  async #compareAndDelete(client: RecordedClient, key: string): Promise<void> {
    const expect = this.#expectation(key);
    if (expect.kind === "absent") {
      await client.get(key);
    } else {
      await client.compareAndDelete(key, expect);
    }
  }

  /** Over neighbours, which mostly lie in one Region; otherwise it is refused, which is fine too. */
  async #conditionalBatch(client: RecordedClient): Promise<void> {
    const place = this.#random.nextInt(this.#keys.length);
    const keys = this.#keys.slice(place, place + 2);
    const versions = new Map(keys.map((key) => [key, this.#lastSeen.get(key)?.version ?? 0]));
    await client.conditionalBatch(
      versions,
      keys.map((key) => ({ key, value: this.#random.nextInt(4) === 0 ? undefined : this.#value(client) })),
    );
  }

  async #read(client: RecordedClient, key: string): Promise<void> {
    const readFrom: ReadFrom =
      (["leader", "leader", "follower", "nearest"] as const)[this.#random.nextInt(4)] ?? "leader";
    switch (this.#random.nextInt(3)) {
      case 0: {
        const ended = await client.get(key, readFrom);
        this.#saw(ended.outcome === "ok" ? [ended.result] : []);
        return;
      }
      case 1: {
        const ended = await client.batchGet(this.#someKeys(), readFrom);
        this.#saw(ended.outcome === "ok" ? ended.result : []);
        return;
      }
      default: {
        const [start, end] = this.#rangeOf(this.#keys);
        const paging = { reverse: this.#random.nextInt(2) === 0, pageSize: 1 + this.#random.nextInt(4) };
        const ended = await client.scan({ start, end, ...paging }, readFrom);
        this.#saw(ended.outcome === "ok" ? ended.result : []);
      }
    }
  }

  #saw(rows: readonly (SeenRow | undefined)[]): void {
    for (const row of rows) {
      if (row !== undefined) {
        this.#lastSeen.set(row.key, row);
      }
    }
  }

  #expectation(key: string): Expectation {
    const known = this.#lastSeen.get(key);
    if (known === undefined || this.#random.nextInt(6) === 0) {
      return { kind: "absent" };
    }
    const { value, version } = known;
    return this.#random.nextInt(2) === 0 ? { kind: "value", value } : { kind: "version", version };
  }

  #key(): string {
    return this.#keys[this.#random.nextInt(this.#keys.length)] as string;
  }

  /** Different ones, in no order. */
  #someKeys(): string[] {
    const count = 1 + this.#random.nextInt(BATCH_MAX_COUNT);
    return [...new Set(Array.from({ length: count }, () => this.#key()))];
  }

  #rangeOf(keys: readonly string[]): [start: string, end: string] {
    const places = [this.#random.nextInt(keys.length), this.#random.nextInt(keys.length)];
    const [low, high] = places.sort((a, b) => a - b) as [number, number];
    return [keys[low] as string, `${keys[high]}\0`];
  }

  #value(client: RecordedClient): string {
    return `${client.name}.${++this.#valueCount}`;
  }
}
