import { type Random, SeededRandom } from "@flaredb/rdb-base";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimStore } from "./sim-store.ts";

/** What may happen to a cluster. */
const faults = [
  "crash",
  "stop",
  "suspend",
  "partition",
  "isolate leader",
  "lossy",
  "slow network",
  "unordered network",
  "slow disk",
  "stalled disk",
  "transfer",
  "heal",
] as const;

type Fault = (typeof faults)[number];

const PAUSE_MAX_MS = 1_000;
const DOWN_MAX_MS = 3_000;
const DELAY_MAX_MS = 60;
const SLOW_DISK_MAX_MS = 60;
const STALL_MS = 3_500;
/** One message in this many is held back, so that others overtake it. */
const OVERTAKEN_ONE_IN = 5;
const OVERTAKEN_MAX_MS = 1_500;

/** Random faults, one after the other, by a seed that follows from the cluster's. */
export class FaultPlan {
  readonly #cluster: SimCluster;
  readonly #random: Random;
  /** What was done, for the message of a failure. */
  readonly done: string[] = [];

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(cluster.random.nextInt(2 ** 31));
  }

  /** Lets time pass while faults happen; ends with everything repaired and running. */
  async run(durationMs: number): Promise<void> {
    const { clock } = this.#cluster;
    const endMs = clock.monotonicMs() + durationMs;
    while (clock.monotonicMs() < endMs) {
      await clock.run(this.#random.nextInt(PAUSE_MAX_MS));
      this.#inflict(faults[this.#random.nextInt(faults.length)] as Fault);
    }
    await this.repair();
  }

  /** Every link, disk and process works again. */
  async repair(): Promise<void> {
    const { clock, network, stores } = this.#cluster;
    network.heal();
    // Those that are down or suspended come back by themselves.
    await clock.run(DOWN_MAX_MS + 1);
    for (const store of stores) {
      store.slowDisk(0);
    }
    await this.#cluster.until("every Store runs", () =>
      stores.every((store) => store.isRunning && !store.isStopping && !store.clock.isSuspended),
    );
  }

  #inflict(fault: Fault): void {
    const store = this.#cluster.stores[this.#random.nextInt(this.#cluster.stores.length)] as SimStore;
    this.done.push(`${Math.floor(this.#cluster.clock.monotonicMs())} ${fault} ${store.storeId}`);
    switch (fault) {
      case "crash":
        this.#crash(store);
        return;
      case "stop":
        this.#stop(store);
        return;
      case "suspend":
        this.#suspend(store);
        return;
      case "partition":
        this.#partition();
        return;
      case "isolate leader":
        this.#cluster.isolate(this.#cluster.leader() ?? store);
        return;
      case "lossy":
        this.#cluster.network.setAll({ lossRate: this.#random.nextFraction() / 2 });
        return;
      case "slow network":
        this.#cluster.network.setAll({ maxDelayMs: 1 + this.#random.nextInt(DELAY_MAX_MS) });
        return;
      case "unordered network":
        this.#cluster.network.intercept = () =>
          this.#random.nextInt(OVERTAKEN_ONE_IN) === 0
            ? { delayMs: this.#random.nextInt(OVERTAKEN_MAX_MS) }
            : "deliver";
        return;
      case "slow disk":
        store.slowDisk(this.#random.nextInt(SLOW_DISK_MAX_MS));
        return;
      case "stalled disk":
        store.slowDisk(STALL_MS);
        this.#later(DOWN_MAX_MS, () => store.slowDisk(0));
        return;
      case "transfer":
        this.#transfer(store);
        return;
      case "heal":
        this.#cluster.network.heal();
    }
  }

  #crash(store: SimStore): void {
    if (store.isRunning) {
      store.crash();
      this.#later(this.#random.nextInt(DOWN_MAX_MS), () => this.#start(store));
    }
  }

  #stop(store: SimStore): void {
    if (store.isRunning && !store.isStopping && !store.clock.isSuspended) {
      void store.stop().then(() => {
        this.#later(this.#random.nextInt(DOWN_MAX_MS / 2), () => this.#start(store));
      });
    }
  }

  #start(store: SimStore): void {
    if (!store.isRunning) {
      void store.start();
    }
  }

  #suspend(store: SimStore): void {
    if (store.isRunning) {
      const { clock } = store;
      clock.suspend();
      this.#later(this.#random.nextInt(DOWN_MAX_MS), () => clock.resume());
    }
  }

  #partition(): void {
    const { network, storeIds } = this.#cluster;
    const isLeft = storeIds.map(() => this.#random.nextInt(2) === 0);
    network.heal();
    network.partition(
      storeIds.filter((_, place) => isLeft[place]),
      storeIds.filter((_, place) => !isLeft[place]),
    );
  }

  #transfer(store: SimStore): void {
    for (const region of this.#cluster.regions) {
      const target = region.peers.find((peer) => peer.storeId === store.storeId);
      const leader = this.#cluster.leader(region.id);
      if (target !== undefined) {
        leader?.call((running) => running.transferLeader(region.id, region.epoch, target.id));
      }
    }
  }

  #later(delayMs: number, action: () => void): void {
    this.#cluster.clock.setTimer(delayMs, action);
  }
}
