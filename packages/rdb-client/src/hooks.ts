import type { ErrorCode, RegionId, StoreId } from "@flaredb/rdb-base";

/**
 * What a client tells of its work: for metrics, traces and logs. Most calls are one request; a batch or range over
 * several Regions is one for each, a scan one for each page. Without hooks nothing is measured or kept.
 *
 * Hooks are called in the middle of the client's work, so they must be short. What a hook throws changes no call: it
 * is told once for each hook as a process warning with the code `RDB_HOOK_FAILED`.
 */
export interface ClientHooks {
  /** Right before a request is tried again. */
  readonly onRetry?: (retry: RetryEvent) => void;
  /** When a request has ended, right before its call is told. */
  readonly onRequest?: (request: RequestEvent) => void;
}

/** One more attempt. */
export interface RetryEvent {
  /** Such as `get`, `put`, `batchPut`, `scan`. */
  readonly operation: string;
  /** Which attempt begins: 2 is the first retry. */
  readonly attempt: number;
  /** Why the one before it failed. */
  readonly reason: ErrorCode;
  /** From the request's start until now, pauses included. */
  readonly elapsedMs: number;
  /** The Region and the Store that are tried now. */
  readonly regionId: RegionId | undefined;
  readonly storeId: StoreId | undefined;
}

/** A request that has ended. */
export interface RequestEvent {
  readonly operation: string;
  /** `ok`, or the code that its call gets, unless the call does something about it. */
  readonly outcome: "ok" | ErrorCode;
  /** From its start until now, waiting for the map and pauses included. */
  readonly durationMs: number;
  /** How often it was given to a Store's connection; 0 when it never got that far. */
  readonly attemptCount: number;
  /** Why each attempt that was followed by another failed, in order; the first 64. */
  readonly retries: readonly ErrorCode[];
  /** The Region and the Store of its last attempt; undefined when there was none. */
  readonly regionId: RegionId | undefined;
  readonly storeId: StoreId | undefined;
}
