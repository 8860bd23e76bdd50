import { readFileSync, readdirSync } from "node:fs";
import type { Layout } from "./cases.ts";

/** What threads of a process are for: `worker` reads and writes the database; `other` is libuv's pool and RocksDB's own. */
type ThreadKind = "loop" | "worker" | "V8" | "other";

/** Processor time by kind of thread, in microseconds. */
export type CpuTime = Readonly<Record<ThreadKind, number>>;

export const NO_TIME: CpuTime = { loop: 0, worker: 0, V8: 0, other: 0 };

/** What one call costs one process, on the average. */
export interface CpuCost {
  readonly layout: Layout;
  readonly op: string;
  /** With one Region there are a leader and followers; with several each Store is both. */
  readonly role: "client" | "leader" | "follower" | "Store" | "PD";
  /** Processes of this role, of which `time` is the mean. */
  readonly processes: number;
  /** Of a client only the sum is known: it stands at `loop`. */
  readonly time: CpuTime;
}

/** What the process has used so far. Linux only: elsewhere, and when the process is gone, nothing. */
export function cpuTimeOf(pid: number | undefined): CpuTime {
  const time = { ...NO_TIME };
  for (const thread of threadsOf(pid)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const [name, used] = [readOf(`${folder}/comm`), readOf(`${folder}/schedstat`)];
    time[kindOf(name.trim())] += Number(used.split(" ")[0]) / 1_000;
  }
  return time;
}

/** `after` less `before`, divided by the calls. */
export function costOf(before: CpuTime, after: CpuTime, calls: number): CpuTime {
  return mapTime((kind) => (after[kind] - before[kind]) / Math.max(1, calls));
}

/** The mean of several; of none: nothing. */
export function meanTime(times: readonly CpuTime[]): CpuTime {
  return mapTime((kind) => times.reduce((sum, time) => sum + time[kind], 0) / Math.max(1, times.length));
}

function mapTime(of: (kind: ThreadKind) => number): CpuTime {
  return { loop: of("loop"), worker: of("worker"), V8: of("V8"), other: of("other") };
}

function kindOf(name: string): ThreadKind {
  switch (name) {
    case "MainThread":
    case "node":
      return "loop";
    case "WorkerThread":
      return "worker";
    case "V8Worker":
      return "V8";
    default:
      return "other";
  }
}

function threadsOf(pid: number | undefined): string[] {
  try {
    return pid === undefined ? [] : readdirSync(`/proc/${pid}/task`);
  } catch {
    // No such system, or the process has ended.
    return [];
  }
}

function readOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The thread has ended between the listing and here.
    return "0";
  }
}
