import type { Index } from "@flaredb/rdb-base";
import type { Entry, HardState, Message, Snapshot, SoftState } from "./messages.ts";

/** The answer to a read request: it may be served once the state machine has applied `index`. */
export interface ReadState {
  readonly index: Index;
  readonly requestContext: Uint8Array;
}

/**
 * The batch of work that the core hands to its driver (etcd-io/raft `Ready`).
 *
 * With async storage writes, entries, hardState, snapshot and committedEntries are for information only; the work
 * itself is in MsgStorageAppend and MsgStorageApply among `messages`, and `advance()` is not called.
 */
export interface Ready {
  /** Undefined when unchanged. */
  readonly softState: SoftState | undefined;
  /** Undefined when unchanged. */
  readonly hardState: HardState | undefined;
  readonly readStates: readonly ReadState[];
  /** To be made durable before `messages` are sent (without async storage writes). */
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  /** To be applied; durable before, or with asynchronous writes as their MsgStorageApply says. */
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** Whether hardState and entries need a sync, rather than only a write. */
  readonly mustSync: boolean;
}
