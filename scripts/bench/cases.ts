import type { Medians } from "./medians.ts";

/** How many Regions hold the keys, each led by one of three Stores in turn. */
export type Layout = "etcd" | "1 Region" | "16 Regions";

/** What is measured, on one side. */
export interface Case {
  readonly layout: Layout;
  /** `put`, `get`, `scan`, `batch-put` or `batch-get`. */
  readonly op: string;
  readonly clients: number;
}

/** The figures of one run of a case. */
export interface Sample extends Case {
  readonly opsPerSecond: number;
  /** The same as opsPerSecond, but for scans and batches. */
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Calls that failed. */
  readonly errorCount: number;
}

/** What a case has to reach. `of` is the same case of etcd, where there is one. */
export interface Goal {
  readonly what: string;
  readonly layout: Exclude<Layout, "etcd">;
  readonly op: string;
  readonly clients: number;
  readonly words: string;
  isMet(own: Medians, etcd: Medians | undefined): boolean;
}

/** Clients of the cases that read or write many rows a call. */
export const BULK_CLIENTS = 8;
/** Rows of one scan, and of one batch. */
export const SCAN_ROWS = 1_000;
export const BATCH_ROWS = 100;

/** What FlareDB is to be beside etcd, and by itself. */
export const goals: readonly Goal[] = [
  beside("put", 256, "1 Region", 3),
  beside("put", 256, "16 Regions", 3),
  beside("put", 64, "1 Region", 2),
  medianBeside("put", 1),
  beside("get", 256, "1 Region", 5),
  medianBeside("get", 1),
  rows("scan", `scan of ${SCAN_ROWS} rows`, 300_000),
  rows("batch-get", `batchGet of ${BATCH_ROWS}`, 100_000),
  rows("batch-put", `batchPut of ${BATCH_ROWS}`, 50_000),
];

function beside(op: string, clients: number, layout: Goal["layout"], factor: number): Goal {
  return {
    what: `${op}, ${clients} clients, ${layout}`,
    layout,
    op,
    clients,
    words: `>= ${factor}x, p99 no worse`,
    isMet: (own, etcd) =>
      etcd !== undefined && own.opsPerSecond >= factor * etcd.opsPerSecond && own.p99Ms <= etcd.p99Ms,
  };
}

function medianBeside(op: string, clients: number): Goal {
  return {
    what: `${op}, ${clients} client, 1 Region`,
    layout: "1 Region",
    op,
    clients,
    words: "p50 no worse",
    isMet: (own, etcd) => etcd !== undefined && own.p50Ms <= etcd.p50Ms,
  };
}

function rows(op: string, what: string, rowsPerSecond: number): Goal {
  return {
    what,
    layout: "1 Region",
    op,
    clients: BULK_CLIENTS,
    words: `>= ${(rowsPerSecond / 1_000).toFixed(0)}k rows/s`,
    isMet: (own) => own.rowsPerSecond >= rowsPerSecond,
  };
}
