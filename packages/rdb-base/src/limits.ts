import { KiB, MiB } from "./units.ts";

/** The limits that every process and the SDK agree on. A limit that one process may set stands in its config. */
export const limits = {
  /** Longest user key. A key has at least one byte. */
  keyMaxBytes: 4 * KiB,
  /** Largest user value. */
  valueMaxBytes: 8 * MiB,
  /** Most keys, or operations, in one batch request to one Region. */
  batchMaxCount: 10_000,
  /** Most bytes of keys and values in one batch request to one Region. */
  batchMaxBytes: 16 * MiB,
  /** Most rows of one page of a scan. */
  scanPageMaxCount: 10_000,
  /** A page of a scan ends with the row that reaches this; one row may be larger by itself. */
  scanPageMaxBytes: 3 * MiB,
  /** Largest gRPC message that a server of ours accepts. */
  messageMaxBytes: 24 * MiB,
  /** Longest deadline that a client may ask for. */
  deadlineMaxMs: 600_000,
} as const;
