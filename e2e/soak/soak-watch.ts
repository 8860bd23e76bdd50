import { join } from "node:path";
import { Latencies } from "../../packages/rdb-cli/src/bench/latencies.ts";
import type { Generator } from "../../packages/rdb-cli/src/bench/generator.ts";
import type { TestCluster } from "../cluster.ts";
import { folderBytes } from "../folder-bytes.ts";
import { residentBytes } from "../scale/process-usage.ts";
import { regionsOn } from "../store-http.ts";

/** What there was at one moment. Of several Stores the one that takes most. */
export interface SoakSample {
  /** Milliseconds since the load began. */
  readonly atMs: number;
  /** Of the calls that were answered since the sample before. */
  readonly latencies: Latencies;
  readonly storeBytes: number;
  readonly pdBytes: number;
  /** Of a Store's data folder, the write-ahead log included. */
  readonly diskBytes: number;
  /** Entries of Raft's logs that a Store keeps. */
  readonly logEntryCount: number;
}

/** Looks at a cluster under load. */
export class SoakWatch {
  readonly samples: SoakSample[] = [];
  readonly #cluster: TestCluster;
  readonly #generator: Generator;
  readonly #startedMs = performance.now();

  constructor(cluster: TestCluster, generator: Generator) {
    this.#cluster = cluster;
    this.#generator = generator;
  }

  async look(): Promise<SoakSample> {
    const { stores, pd, folder } = this.#cluster;
    const latencies = this.#generator.takeInterval();
    const peers = await Promise.all(stores.map(regionsOn));
    const entryCounts = peers.map((views) =>
      views.reduce((sum, { commitIndex, firstIndex }) => sum + commitIndex - firstIndex + 1, 0),
    );
    const sample = {
      atMs: performance.now() - this.#startedMs,
      latencies,
      storeBytes: Math.max(...stores.map(({ pid }) => residentBytes(pid as number))),
      pdBytes: residentBytes(pd.pid as number),
      diskBytes: Math.max(...stores.map(({ place }) => folderBytes(join(folder, `store-${place + 1}`)))),
      logEntryCount: Math.max(...entryCounts),
    };
    this.samples.push(sample);
    return sample;
  }
}

/** Latencies of several samples as one. */
export function together(samples: readonly SoakSample[]): Latencies {
  const all = new Latencies();
  for (const { latencies } of samples) {
    all.add(latencies);
  }
  return all;
}
