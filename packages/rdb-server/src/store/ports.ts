import type { PeerId, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import type { ApplyState, Cursor, SnapshotChunk, SnapshotRow } from "@flaredb/rdb-storage";
import type { PeerMessage } from "./peer-message.ts";

/** The way to other Stores. Fire and forget: Raft tolerates loss. Never blocks, bounded inside. */
export interface Transport {
  /**
   * Queues a message for `message.toPeer.storeId`. Votes, heartbeats and ReadIndex take a connection of their own.
   *
   * @returns false when it was dropped: its queue is full, or the Store's address is unknown or does not answer
   */
  send(message: PeerMessage): boolean;
  /**
   * Streams a snapshot; the Store's `snapshotStatus` hears how it ended, exactly once: but for one that another to the same
   * peer follows, which is let go unheard.
   */
  sendSnapshot(outgoing: OutgoingSnapshot): void;
  /** Whether the Store was heard of lately (a message or a sign of life within `storeSilentMs`). */
  isAlive(storeId: StoreId): boolean;
}

/** A Region's content at one index, ready to stream. Whoever gets it closes `cursors`. */
export interface OutgoingSnapshot {
  readonly snapshotId: string;
  /** The MsgSnap; its snapshot's `data` is a proto `SnapshotDescription`. */
  readonly message: PeerMessage;
  readonly region: Region;
  readonly applyState: ApplyState;
  readonly cursors: { readonly data: Cursor; readonly session: Cursor };
}

/** A snapshot that arrived whole and checked, in files that a restart finds again. */
export interface ReceivedSnapshot {
  readonly snapshotId: string;
  readonly message: PeerMessage;
  readonly region: Region;
}

/** Where received snapshots lie until they are applied. */
export interface SnapshotFiles {
  /** Whether the snapshot is here, whole. */
  has(snapshotId: string): Promise<boolean>;
  /** Begins to keep a snapshot that comes in. One at a time for each id. */
  receive(snapshotId: string, region: Region): Promise<IncomingSnapshot>;
  /**
   * The rows of a snapshot that is whole, in batches of at most `maxBytes`, checksums verified.
   *
   * @throws RdbError RDB_DATA_CORRUPT when it is damaged or not here
   */
  read(snapshotId: string, maxBytes: number): AsyncIterable<readonly SnapshotRow[]>;
  /** Deletes it. Idempotent. */
  remove(snapshotId: string): Promise<void>;
}

/** A snapshot that comes in. Ends with `complete` or `discard`; a crash before that leaves nothing of it. */
export interface IncomingSnapshot {
  /** The chunk, not durable yet. Chunks come in their order. */
  append(chunk: SnapshotChunk): Promise<void>;
  /** Whole, under its id: durable once this resolves. */
  complete(): Promise<void>;
  /** As if it had never come. */
  discard(): Promise<void>;
}

/** What the loop tells the placement driver. Fire and forget: reports are repeated. */
export interface PdReporter {
  /** The Region changed in a way that PD must know at once: a leader, an epoch, a peer that is down or pending. */
  regionChanged(regionId: RegionId): void;
  /** The Store's disk became slow or full, or is so no more. */
  diskChanged(): void;
  /** The Region as PD knows it; undefined when it does not, which means nothing. Rejects while PD does not answer. */
  findRegion(regionId: RegionId): Promise<Region | undefined>;
  /** The Region that has the key, as PD knows it. Rejects while PD does not answer, or knows none. */
  regionOfKey(key: Uint8Array): Promise<Region>;
}

/** How the sending of a snapshot ended, for the leader's view of the follower. */
export interface SnapshotStatus {
  readonly regionId: RegionId;
  readonly toPeerId: PeerId;
  readonly ok: boolean;
}
