import { readFileSync } from "node:fs";
import { folderBytes } from "../folder-bytes.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { FILLER } from "./small-disk.ts";

/** Between two looks. */
const INTERVAL_MS = 5_000;
const BYTES_PER_KIB = 1024;

/** What the processes take at one moment. Of several of a kind, the one that takes most. */
export interface ResourceSample {
  /** Milliseconds since the run began. */
  readonly atMs: number;
  /** Resident memory. */
  readonly storeBytes: number;
  readonly pdBytes: number;
  /** The run itself: clients, proxies and the checks of histories. */
  readonly ownBytes: number;
  /** Of a Store's data folder, without what fills its disk. */
  readonly diskBytes: number;
}

/** Notes now and then what the processes of a run take, to see whether it grows. */
export class ResourceWatch {
  readonly samples: ResourceSample[] = [];
  readonly #cluster: ChaosCluster;
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(cluster: ChaosCluster) {
    this.#cluster = cluster;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  #look(): void {
    const { stores, members } = this.#cluster;
    this.samples.push({
      atMs: performance.now() - this.#startedMs,
      storeBytes: Math.max(0, ...stores.map(({ pid }) => residentBytes(pid))),
      pdBytes: Math.max(0, ...members.map(({ pid }) => residentBytes(pid))),
      ownBytes: process.memoryUsage.rss(),
      diskBytes: Math.max(0, ...stores.map((store) => dataBytes(this.#cluster.dataFolderOf(store)))),
    });
  }
}

/** 0 where there is no such process, or no /proc. */
function residentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * BYTES_PER_KIB;
  } catch {
    // It ended meanwhile: faults do that.
    return 0;
  }
}

/** Without what fills its disk; 0 while the folder is being replaced. */
function dataBytes(folder: string): number {
  try {
    return folderBytes(folder, FILLER);
  } catch {
    return 0;
  }
}
