import type { TlsFiles } from "@flaredb/rdb-wire";
import type { ClientHooks } from "./hooks.ts";
import type { TracingOptions } from "./tracing/trace-api.ts";

/** Bytes as they are, or text as UTF-8. Bytes must not be changed before the call has ended. */
export type Bytes = Uint8Array | string;

/**
 * Who serves a read. All three are linearizable.
 * - `leader`: the Region's leader; one round trip.
 * - `follower`: another peer, after it asked the leader how far it must have applied; spares the leader.
 * - `nearest`: the peer with the shortest round trip.
 */
export type ReadFrom = "leader" | "follower" | "nearest";

/** For every call. */
export interface CallOptions {
  /**
   * How long the call may take, milliseconds from now. Default: the client's.
   * A write that runs out of time ends with RDB_DEADLINE_EXCEEDED (not applied), or with RDB_UNDETERMINED_RESULT when
   * some attempt of it was neither answered nor refused.
   */
  readonly deadlineMs?: number;
  /** Ends the call early, with RDB_ABORTED, or RDB_UNDETERMINED_RESULT for a write that may be applied. */
  readonly signal?: AbortSignal;
}

/** For every read. */
export interface ReadOptions extends CallOptions {
  /** Default: the client's. */
  readonly readFrom?: ReadFrom;
}

/** For {@link RdbClient.connect}. */
export interface ConnectOptions {
  /** host:port of each placement driver, or of the only one. */
  readonly pd: string | readonly string[];
  /** Deadline of calls that name none, milliseconds. Default 10,000; most 600,000. */
  readonly deadlineMs?: number;
  /** Who serves reads that do not say. Default `leader`. */
  readonly readFrom?: ReadFrom;
  /** The address to call from, when this host has several. */
  readonly localAddress?: string;
  /**
   * PEM files: whom this client trusts (`ca`), and who it is (`cert` and `key`) where servers ask. They are read again
   * when they change; when the new ones cannot be used, the process is warned (`process.emitWarning`) and those before
   * stay. Default: nothing is encrypted.
   */
  readonly tls?: TlsFiles;
  /** Told of every request and every retry. Default: none. */
  readonly hooks?: ClientHooks;
  /** Makes spans of calls, by OpenTelemetry. Default: none are made, and nothing is done for it. */
  readonly tracing?: TracingOptions;
}

export const clientDefaults = {
  deadlineMs: 10_000,
  readFrom: "leader",
} as const satisfies { deadlineMs: number; readFrom: ReadFrom };
