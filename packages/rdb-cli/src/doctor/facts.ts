import type { GetClusterInfoResponse, RegionRoute, StoreStatus } from "@flaredb/rdb-proto";

/** What one process said over HTTP, or that it did not. */
export interface ProcessAnswer {
  /** Such as `Store 2` or `PD member pd-1`. */
  readonly name: string;
  /** host:port of its HTTP endpoint. */
  readonly httpAddress: string;
  /** Why there is no answer; undefined: there is one. */
  readonly failure: string | undefined;
  /** Of its health document: `ok`, `slow`, `serving`, `following` … */
  readonly status: string | undefined;
  /** Of its health document; Stores leave it out. */
  readonly version: string | undefined;
  readonly clock: ClockReading | undefined;
}

/**
 * How far a process's wall clock is ahead of ours, in milliseconds: surely between both. A header tells whole seconds,
 * and the answer takes its time, so the two are a second or more apart.
 */
export interface ClockReading {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** All that the checks look at. */
export interface ClusterFacts {
  readonly info: GetClusterInfoResponse;
  readonly stores: readonly StoreStatus[];
  /** In the order of their keys. */
  readonly routes: readonly RegionRoute[];
  /** How many peers a Region is to have; undefined: PD did not say. */
  readonly replicaCount: number | undefined;
  readonly processes: readonly ProcessAnswer[];
}

/** What one check found. */
export interface Finding {
  readonly check: string;
  /** `bad`: something does not work. `warn`: it works, and somebody should look. */
  readonly level: "ok" | "warn" | "bad";
  readonly message: string;
  /** What to do about it. */
  readonly advice?: string;
}
