import type { RdbError, StoreId, Timer } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import type { Backoff, BackoffReason } from "./backoff.ts";
import type { RegionEntry } from "./region-cache.ts";
import type { ReadFrom } from "./options.ts";

export type KvCommand = KvRequest["command"];
export type KvResult = KvResponse["result"];

/** What a call does and whom to tell. */
export interface KvCallSpec {
  /** Names the call in messages, such as `put`. */
  readonly name: string;
  /** Its Region holds this key. */
  readonly key: Uint8Array;
  /** Its Region holds what is just before the key instead (reverse scans). */
  readonly before?: boolean;
  readonly command: KvCommand;
  readonly isWrite: boolean;
  /** About how many bytes it takes on the wire. */
  readonly sizeBytes: number;
  readonly readFrom: ReadFrom;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** What the caller gave it, for messages. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /**
   * Called with the Region before each attempt. `false`: the call ends here, unsent; whoever says so takes over.
   */
  readonly admit?: ((entry: RegionEntry) => boolean) | undefined;
  /** One of the two, once, unless `admit` ended the call. */
  resolve(result: KvResult): void;
  reject(error: RdbError): void;
}

/**
 * Where a call stands:
 * - `idle`: about to be routed;
 * - `waiting`: for a lookup, a pause or news;
 * - `queued`: with a Store's stream, certainly not sent;
 * - `sent`: handed to the socket; a write may be applied from here on;
 * - `done`.
 */
export type KvCallState = "idle" | "waiting" | "queued" | "sent" | "done";

/** One request on its way: what the sender, the streams and CallsInFlight know of it. */
export class KvCall {
  readonly spec: KvCallSpec;
  state: KvCallState = "idle";
  /** Whom to read from; a damaged leader is left for the others. */
  readFrom: ReadFrom;
  /** On the monotonic clock: the deadline, or earlier the end of a read's attempt. */
  dueMs: number;
  requestId = 0;
  /** The Region as it was addressed by the last attempt. */
  entry: RegionEntry | undefined;
  /** The Store that the last attempt went to. */
  storeId: StoreId | undefined;
  /** The stream that holds it while it is `queued` or `sent`. */
  stream: { forget(call: KvCall): void } | undefined;
  /** Whether the last attempt let the peer serve without leading. */
  fromFollower = false;
  /** Stores that could not serve since the last pause. */
  readonly tried: StoreId[] = [];
  /** Attempts since the last pause that were led on by an answer. */
  redirectCount = 0;
  /** Why the last attempt failed. */
  lastError: RdbError | undefined;
  /** Made when it waits for the first time. */
  backoff: Backoff | undefined;
  /** The pause that it waits for. */
  timer: Timer | undefined;
  pauseReason: BackoffReason | undefined;
  onAbort: (() => void) | undefined;
  /** Neighbours among the calls in flight. */
  previous: KvCall | undefined;
  next: KvCall | undefined;

  constructor(spec: KvCallSpec) {
    this.spec = spec;
    this.readFrom = spec.readFrom;
    this.dueMs = spec.deadlineMs;
  }
}
