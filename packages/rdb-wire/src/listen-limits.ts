import { MINUTE_MS, SECOND_MS, limits } from "@flaredb/rdb-base";
import { wireSettings } from "./http2-settings.ts";

/** What an RPC port lets its callers have. */
export interface ListenLimits {
  /** Connections at one time; one more is closed unread. */
  readonly connectionMaxCount: number;
  /** Calls that one connection may have open; HTTP/2 refuses one more. */
  readonly streamMaxCount: number;
  /** Largest message, in and out; a larger one ends its call with INVALID_ARGUMENT or RESOURCE_EXHAUSTED. */
  readonly messageMaxBytes: number;
  /** A connection that was silent for this long is asked for a sign of life, */
  readonly keepaliveIntervalMs: number;
  /** and is cut when none comes in this time: who never says a word is gone after both. */
  readonly keepaliveTimeoutMs: number;
  /** A connection on which no call was open for this long is told to go; the next call makes another one. */
  readonly idleTimeoutMs: number;
}

export const defaultListenLimits: ListenLimits = {
  connectionMaxCount: 8_192,
  streamMaxCount: wireSettings.streamMaxCount,
  messageMaxBytes: limits.messageMaxBytes,
  keepaliveIntervalMs: 10 * SECOND_MS,
  keepaliveTimeoutMs: 10 * SECOND_MS,
  idleTimeoutMs: 10 * MINUTE_MS,
};
