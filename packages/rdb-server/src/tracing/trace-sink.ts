import type { ErrorCode, RegionId } from "@flaredb/rdb-base";

/**
 * What a request went through here, one after another but for the two that begin together. Of a write:
 * - `rdb.store.queue`: from its arrival until it was proposed, in one entry with what came beside it;
 * - `rdb.raft.append`: until its entry was durable in this Store's log;
 * - `rdb.raft.commit`: from the proposal too, until a majority had the entry and its turn had come;
 * - `rdb.store.apply`: evaluated against the data, until the answer.
 *
 * Of a read: `rdb.store.lease`, `rdb.store.read_index` or `rdb.store.follower_read` until it was sure that the peer may
 * serve it, and had applied what it must see; then `rdb.store.read`, from memory or the engine. One that was not served
 * has `rdb.store.queue`.
 */
export type StageName =
  | "rdb.store.queue"
  | "rdb.raft.append"
  | "rdb.raft.commit"
  | "rdb.store.apply"
  | "rdb.store.lease"
  | "rdb.store.read_index"
  | "rdb.store.follower_read"
  | "rdb.store.read";

/** Times are those of the wall clock, milliseconds since 1970, with fractions. */
export interface Stage {
  readonly name: StageName;
  readonly startMs: number;
  readonly endMs: number;
}

/** A traced request that was answered. */
export interface FinishedRequest {
  /** As in TraceContext. */
  readonly traceId: string;
  /** The span that sent it, as in TraceContext; undefined: the trace begins here. */
  readonly parentSpanId: string | undefined;
  readonly regionId: RegionId | undefined;
  /** Such as `put`. */
  readonly operation: string;
  /** Why it was refused; undefined: it was not. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly stages: readonly Stage[];
}

/** Makes spans of requests, and sends them on. */
export interface TraceSink {
  /** Never throws and never waits: what there is no room for is let go. */
  take(request: FinishedRequest): void;
  /** Sends what is left, for as long as a send may take. */
  close(): Promise<void>;
}
