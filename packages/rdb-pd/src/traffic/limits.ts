import { HOUR_MS, MINUTE_MS, SECOND_MS } from "@flaredb/rdb-base";

/** What PD keeps of the cluster's traffic, in memory, while it leads: about 20 MiB of the heat map at most. */
export const trafficLimits = {
  /** One column of the heat map. */
  columnMs: 1 * MINUTE_MS,
  /** Columns that are kept: twelve hours of them. */
  columnMaxCount: (12 * HOUR_MS) / MINUTE_MS,
  /** Of the last minutes finer ones are kept too: of twenty minutes. */
  fineColumnMs: 10 * SECOND_MS,
  fineColumnMaxCount: (20 * MINUTE_MS) / (10 * SECOND_MS),
  /** Parts of the key space of one column. */
  bucketMaxCount: 1_000,
  /** Samples of one column; with more of them it ends early. */
  sampleMaxCount: 60,
  /** Stores are asked for their flow so often while somebody looks, */
  watchedEveryMs: 2 * SECOND_MS,
  /** so often while nobody does, */
  unwatchedEveryMs: 10 * SECOND_MS,
  /** which is so long after somebody last did. */
  watchedForMs: 30 * SECOND_MS,
  /** A Store that says nothing for so long does not answer, and is left out; */
  askTimeoutMs: 1_500,
  /** nor does one whose answer is not whole after so long, however it is dripped. */
  askTotalTimeoutMs: 5 * SECOND_MS,
  /** Points of throughput and latency that are kept: twenty minutes while somebody looks. */
  pointMaxCount: 600,
  /** Bytes of one Store's answer. */
  answerMaxBytes: 4 * 1024 * 1024,
  /** Columns and buckets of one answer of the heat map. */
  viewColumnMaxCount: 240,
  viewBucketMaxCount: 400,
} as const;
