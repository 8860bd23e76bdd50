import { StoreState, type StoreStatus } from "@flaredb/rdb-proto";
import type { ElasticCluster } from "./elastic-cluster.ts";
import type { RowWriter } from "./row-writer.ts";
import { pause } from "../wait.ts";

const INTERVAL_MS = 5_000;

const marks: Readonly<Record<number, string>> = {
  [StoreState.UP]: "",
  [StoreState.DISCONNECTED]: "?",
  [StoreState.DOWN]: "!",
  [StoreState.DRAINING]: "-",
};

/** Prints a line every few seconds and at each event: Regions, leaders/peers of each Store, puts a second, gaps. */
export class Timeline {
  readonly #cluster: ElasticCluster;
  readonly #writer: RowWriter;
  readonly #startedMs = performance.now();
  readonly #stopped = Promise.withResolvers<void>();
  #isStopping = false;
  #running: Promise<void> | undefined;

  constructor(cluster: ElasticCluster, writer: RowWriter) {
    this.#cluster = cluster;
    this.#writer = writer;
  }

  start(): void {
    console.log(
      "   time  regions  operators      MiB   puts/s  gap ms  leaders/peers by Store (- draining, ? silent, ! down)",
    );
    this.#running = this.#run();
  }

  /** Something that a reader should see at its time. */
  event(text: string): void {
    console.log(`${this.#time()}  ${text}`);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#stopped.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      await Promise.race([pause(INTERVAL_MS), this.#stopped.promise]);
      await this.#line();
    }
  }

  async #line(): Promise<void> {
    const window = this.#writer.takeWindow();
    const rate = Math.round((window.count * 1000) / window.durationMs);
    const mebibytes = Math.round(this.#writer.acknowledgedBytes / 2 ** 20);
    try {
      const { regions, stores, operatorCount } = await this.#cluster.look();
      const cells = [
        String(regions.length).padStart(7),
        String(operatorCount).padStart(9),
        String(mebibytes).padStart(7),
        String(rate).padStart(7),
        window.longestGapMs.toFixed(0).padStart(6),
        stores
          .map(storeText)
          .filter((text) => text !== "")
          .join("  "),
      ];
      console.log(`${this.#time()}  ${cells.join("  ")}`);
    } catch (error) {
      // A look that PD does not answer is told and not the end: the next one may be answered.
      this.event(`the placement driver does not answer: ${String(error)}`);
    }
  }

  #time(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(1)} s`.padStart(8);
  }
}

function storeText({ store, leaderCount, regionCount }: StoreStatus): string {
  const mark = marks[store?.state ?? StoreState.UNSPECIFIED];
  return mark === undefined ? "" : `S${store?.id}${mark} ${leaderCount}/${regionCount}`;
}
