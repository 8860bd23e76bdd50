import type { RdbError, RegionId, StoreId, Timer } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import type { Backoff, BackoffReason } from "./backoff.ts";
import type { CallWatch } from "./call-watch.ts";
import type { WriteIdentity } from "./open-writes.ts";
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
  /** Of a part of a write that was sent before and may have been applied; whoever gives it closes it. */
  readonly identity?: WriteIdentity | undefined;
  /**
   * Called with the Region before each attempt. `false`: the call ends here; whoever says so takes over. With the
   * identity, if an earlier attempt may have been applied: what it does further is done under it, and it closes it.
   */
  readonly admit?: ((entry: RegionEntry, identity: WriteIdentity | undefined) => boolean) | undefined;
  /** One of the two, once, unless `admit` ended the call. `by` is the Region that answered. */
  resolve(result: KvResult, by: RegionId): void;
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

/** Of the first attempt, and of any. */
const PATIENCE_MIN_MS = 2_000;
const PATIENCE_MAX_MS = 8_000;

/** One request on its way: what the sender, the streams and CallsInFlight know of it. */
export class KvCall {
  readonly spec: KvCallSpec;
  state: KvCallState = "idle";
  /** Whom to read from; a damaged leader is left for the others. */
  readFrom: ReadFrom;
  /** On the monotonic clock: the deadline, or earlier the end of an attempt. */
  dueMs: number;
  requestId = 0;
  /** The Region as it was addressed by the last attempt. */
  entry: RegionEntry | undefined;
  /** The Store that the last attempt went to. */
  storeId: StoreId | undefined;
  /** The stream that holds it while it is `queued` or `sent`. */
  stream: { readonly heardMs: number; forget(call: KvCall): void } | undefined;
  /** Of a write, from its first attempt until it ends, or is known not to have been applied. */
  identity: WriteIdentity | undefined;
  /** How often it was handed to a socket. */
  attemptCount = 0;
  /** When the last attempt began, on the monotonic clock. */
  attemptedMs = 0;
  /** How long its Store may take to answer a read, or be silent to all that a write waits with, until others are asked. */
  patienceMs = PATIENCE_MIN_MS;
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
  /** Set when the client has hooks, or the call is traced. */
  watch: CallWatch | undefined;
  /** Neighbours among the calls in flight. */
  previous: KvCall | undefined;
  next: KvCall | undefined;

  constructor(spec: KvCallSpec) {
    this.spec = spec;
    this.readFrom = spec.readFrom;
    this.dueMs = spec.deadlineMs;
    this.identity = spec.identity;
  }

  /** Whether it may have been applied, for all that is known: a write that was sent and not refused. */
  get isUncertain(): boolean {
    return this.spec.isWrite && (this.state === "sent" || this.identity?.isUncertain === true);
  }

  /**
   * Its Store took too long; the next one may take twice as long. Else, where every answer takes longer than an
   * attempt may, each would be given up, and the call never told that it is done.
   */
  losePatience(): void {
    this.patienceMs = Math.min(2 * this.patienceMs, PATIENCE_MAX_MS);
  }

  /** Its attempt on a Store is over without an answer. */
  lose(): void {
    if (this.state === "sent" && this.identity !== undefined) {
      this.identity.isUncertain = true;
    }
    this.stream = undefined;
    this.state = "idle";
  }
}
