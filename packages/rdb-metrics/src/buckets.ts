import { KiB, MiB } from "@flaredb/rdb-base";

/** Seconds, of what a disk or a network does: 100 us to 10 s. */
export const latencyBuckets: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Things in one batch. */
export const countBuckets: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096];

/** Bytes in one batch. */
export const byteBuckets: readonly number[] = [
  256,
  1 * KiB,
  4 * KiB,
  16 * KiB,
  64 * KiB,
  256 * KiB,
  1 * MiB,
  4 * MiB,
];
