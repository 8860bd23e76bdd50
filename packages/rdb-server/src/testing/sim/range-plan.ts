import { type Random, type Region, SeededRandom, keysEqual } from "@flaredb/rdb-base";
import type { AdminOutcome } from "../../store/admin-command.ts";
import { bytes } from "./kv-requests.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimStore } from "./sim-store.ts";

/** Time between two commands, at most. */
const PAUSE_MAX_MS = 700;

/**
 * As a hasty PD: splits Regions and merges neighbours, one command after the other, whether the one before is done or
 * not. Commands that are refused are forgotten.
 */
export class RangePlan {
  /** What was asked for and taken, for the message of a failure. */
  readonly done: string[] = [];
  readonly #cluster: SimCluster;
  readonly #keys: readonly string[];
  readonly #random: Random;
  #stopped = false;
  readonly #running: Promise<void>;

  /** @param keys where it splits */
  constructor(cluster: SimCluster, keys: readonly string[]) {
    this.#cluster = cluster;
    this.#keys = keys;
    this.#random = new SeededRandom(cluster.random.nextInt(2 ** 31));
    this.#running = this.#run();
  }

  /** Resolves when it has given its last command. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#cluster.complete(this.#running);
  }

  async #run(): Promise<void> {
    const { clock } = this.#cluster;
    while (!this.#stopped) {
      await new Promise<void>((resolve) => clock.setTimer(1 + this.#random.nextInt(PAUSE_MAX_MS), resolve));
      const { regions } = this.#cluster;
      const region = regions[this.#random.nextInt(regions.length)] as Region;
      const leader = this.#cluster.leader(region.id);
      if (leader !== undefined && leader.isRunning && !leader.clock.isSuspended) {
        this.#command(leader, region);
      }
    }
  }

  #command(leader: SimStore, region: Region): void {
    const { epoch, id } = this.#cluster.statusOf(leader, region.id).region;
    const neighbours = leader.store
      .regionStatuses()
      .map((status) => status.region)
      .filter((other) => isNext(other, region) || isNext(region, other));
    const target = neighbours[this.#random.nextInt(Math.max(1, neighbours.length))];
    if (target === undefined || this.#random.nextInt(3) === 0) {
      const key = this.#keys[this.#random.nextInt(this.#keys.length)] as string;
      const command = { regionId: id, epoch, keys: [bytes(key)], partCount: 2 };
      leader.call((store) => this.#note(`split ${id} at ${key}`, store.splitRegion(command)));
    } else {
      const command = { regionId: id, epoch, target };
      leader.call((store) => this.#note(`merge ${id} into ${target.id}`, store.mergeRegion(command)));
    }
  }

  #note(what: string, outcome: Promise<AdminOutcome>): void {
    const atMs = this.#cluster.clock.monotonicMs();
    void outcome.then((settled) => {
      if (settled.ok) {
        this.done.push(`${atMs} ms: ${what}`);
      }
    });
  }
}

function isNext(left: Region, right: Region): boolean {
  return left.endKey.length > 0 && keysEqual(left.endKey, right.startKey);
}
