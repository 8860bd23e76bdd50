import { type Random, SeededRandom, type StoreId } from "@flaredb/rdb-base";
import {
  casCommand,
  deleteCommand,
  deleteRangeCommand,
  getCommand,
  putCommand,
  text,
} from "./kv-requests.ts";
import { type RegisterCall, findRegisterViolation } from "./register-history.ts";
import type { CallOptions, SimClient } from "./sim-client.ts";
import type { SimCluster } from "./sim-cluster.ts";

export interface WorkloadOptions {
  readonly clientCount: number;
  readonly keys: readonly string[];
  /** A client waits up to this long between calls. */
  readonly pauseMaxMs: number;
}

/** How long a client of the workload waits for one call. */
const CALL_TIMEOUT_MS = 1_500;

/**
 * Clients that read and write few keys, each value only once, and note what they saw. They stop on their own once told
 * to; then the history can be judged.
 */
export class Workload {
  readonly #cluster: SimCluster;
  readonly #options: WorkloadOptions;
  readonly #random: Random;
  readonly #histories = new Map<string, RegisterCall[]>();
  readonly #running: Promise<void>[];
  #valueCount = 0;
  #stopped = false;
  okCount = 0;

  constructor(cluster: SimCluster, options: WorkloadOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#random = new SeededRandom(cluster.random.nextInt(2 ** 31));
    for (const key of options.keys) {
      this.#histories.set(key, []);
    }
    this.#running = Array.from({ length: options.clientCount }, (_, place) =>
      // Some give up on a write whose fate is unknown, others send it again.
      this.#runClient(place % 2 === 0 ? cluster.newPersistentClient() : cluster.newClient()),
    );
  }

  /** Resolves when every client has the outcome of its last call. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#cluster.complete(Promise.all(this.#running));
  }

  /** Reads every key at the end, so that a lost write shows. @throws Error when a history is not linearizable */
  async judge(): Promise<void> {
    for (const key of this.#options.keys) {
      await this.#cluster.complete(this.#read(this.#cluster.client, key, {}));
    }
    for (const [key, history] of this.#histories) {
      const violation = findRegisterViolation(history);
      if (violation !== undefined) {
        throw new Error(`the history of ${key} is not linearizable:\n${violation}`);
      }
    }
  }

  async #runClient(client: SimClient): Promise<void> {
    const { clock } = this.#cluster;
    while (!this.#stopped) {
      const key = this.#options.keys[this.#random.nextInt(this.#options.keys.length)] as string;
      await this.#callOnce(client, key);
      await new Promise<void>((resolve) => {
        clock.setTimer(this.#random.nextFraction() * this.#options.pauseMaxMs, resolve);
      });
    }
  }

  #callOnce(client: SimClient, key: string): Promise<void> {
    const value = `v${++this.#valueCount}`;
    switch (this.#random.nextInt(8)) {
      case 0:
      case 1:
        return this.#write(client, key, value);
      case 2:
        return this.#cas(client, key, value);
      case 3:
        return this.#write(client, key, undefined, this.#random.nextInt(2) === 0);
      case 4:
        return this.#read(client, key, { fromFollower: true, only: this.#someStore() });
      default:
        return this.#read(client, key, {});
    }
  }

  async #write(client: SimClient, key: string, value: string | undefined, asRange = false): Promise<void> {
    const startMs = this.#cluster.clock.monotonicMs();
    const deletion = asRange ? deleteRangeCommand(key, `${key}\0`) : deleteCommand(key);
    const command = value === undefined ? deletion : putCommand(key, value);
    const outcome = await client.call(command, { timeoutMs: CALL_TIMEOUT_MS });
    if (outcome.kind !== "failed") {
      this.#note(key, { kind: "write", value, startMs, endMs: this.#endMs(outcome.kind) });
    }
  }

  async #cas(client: SimClient, key: string, value: string): Promise<void> {
    const expected = this.#likelyValue(key);
    const startMs = this.#cluster.clock.monotonicMs();
    const outcome = await client.call(casCommand(key, expected, value), { timeoutMs: CALL_TIMEOUT_MS });
    if (outcome.kind !== "failed") {
      const isAnswer = outcome.kind === "ok" && outcome.result.case === "compareAndSwap";
      const succeeded = isAnswer ? outcome.result.value.succeeded : undefined;
      this.#note(key, { kind: "cas", expected, value, succeeded, startMs, endMs: this.#endMs(outcome.kind) });
    }
  }

  async #read(client: SimClient, key: string, options: CallOptions): Promise<void> {
    const startMs = this.#cluster.clock.monotonicMs();
    const outcome = await client.call(getCommand(key), { timeoutMs: CALL_TIMEOUT_MS, ...options });
    if (outcome.kind === "ok" && outcome.result.case === "get") {
      const { found, value } = outcome.result.value;
      this.#note(key, {
        kind: "read",
        value: found ? text(value) : undefined,
        startMs,
        endMs: this.#endMs("ok"),
      });
    }
  }

  #note(key: string, call: RegisterCall): void {
    this.#histories.get(key)?.push(call);
    this.okCount += call.endMs === Number.POSITIVE_INFINITY ? 0 : 1;
  }

  #endMs(kind: "ok" | "unknown"): number {
    return kind === "ok" ? this.#cluster.clock.monotonicMs() : Number.POSITIVE_INFINITY;
  }

  /** What the key held when somebody last looked. */
  #likelyValue(key: string): string | undefined {
    return this.#histories.get(key)?.findLast((call) => call.kind !== "cas")?.value;
  }

  #someStore(): StoreId {
    const { storeIds } = this.#cluster;
    return storeIds[this.#random.nextInt(storeIds.length)] as StoreId;
  }
}
