import type { PeerId, Region } from "@flaredb/rdb-base";
import type { Snapshot, StorageMiss } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  type Cursor,
  type RaftLogStore,
  getTakenRegions,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import type { PeerMessage } from "../store/peer-message.ts";
import type { PeerContext } from "./peer-context.ts";
import { encodeSnapshotDescription, snapshotIdOf } from "./snapshot-description.ts";

/** A snapshot that the core asked for and did not send for this long is let go. */
const UNSENT_MAX_AGE_MS = 5_000;
/** Most snapshots that wait to be sent by the core: one for each follower is usual. */
const UNSENT_MAX_COUNT = 8;

interface MadeSnapshot {
  readonly snapshotId: string;
  readonly region: Region;
  readonly applyState: ApplyState;
  readonly cursors: { readonly data: Cursor; readonly session: Cursor };
  readonly madeMs: number;
}

/** A leader's snapshots: made when the core asks, streamed when it sends MsgSnap. */
export class SnapshotSource {
  readonly #context: PeerContext;
  readonly #log: RaftLogStore;
  #unsent: MadeSnapshot[] = [];
  readonly #sendingTo = new Set<PeerId>();
  /** The snapshots that were sent last, by whom they are for: some of them are being installed now. */
  readonly #sentIndexes = new Map<PeerId, number>();

  constructor(context: PeerContext, log: RaftLogStore) {
    this.#context = context;
    this.#log = log;
  }

  get isSending(): boolean {
    return this.#sendingTo.size > 0;
  }

  /** The Region as it is now: the cursors show exactly what `applyState` says, as both are of this moment. */
  make(region: Region, applyState: ApplyState): Snapshot | StorageMiss {
    if (this.#unsent.length >= UNSENT_MAX_COUNT) {
      return "temporarily-unavailable";
    }
    const { engine, clock } = this.#context;
    const snapshotId = snapshotIdOf({ regionId: region.id, term: applyState.term, index: applyState.index });
    const cursors = {
      data: engine.openCursor("data", region),
      session: engine.openCursor("session", regionKeyRange(region.id)),
    };
    this.#unsent.push({ snapshotId, region, applyState, cursors, madeMs: clock.monotonicMs() });
    return {
      metadata: { confState: this.#log.confState, index: applyState.index, term: applyState.term },
      data: encodeSnapshotDescription(region, applyState, getTakenRegions(engine, region.id)),
    };
  }

  /** The core sends MsgSnap. @returns false when the snapshot it names is not there any more */
  send(message: PeerMessage): boolean {
    const snapshot = message.payload.kind === "raft" ? message.payload.message.snapshot : undefined;
    if (snapshot === undefined) {
      return false;
    }
    const { index, term } = snapshot.metadata;
    const snapshotId = snapshotIdOf({ regionId: message.regionId, term, index });
    const made = this.#unsent.find((candidate) => candidate.snapshotId === snapshotId);
    if (made === undefined) {
      return false;
    }
    this.#unsent = this.#unsent.filter((candidate) => candidate !== made);
    this.#sendingTo.add(message.toPeer.id);
    this.#sentIndexes.set(message.toPeer.id, index);
    const { region, applyState, cursors } = made;
    this.#context.transport.sendSnapshot({ snapshotId, message, region, applyState, cursors });
    return true;
  }

  ended(toPeerId: PeerId, ok: boolean): void {
    this.#sendingTo.delete(toPeerId);
    if (!ok) {
      this.#sentIndexes.delete(toPeerId);
    }
  }

  /**
   * The snapshot that the peer is being sent, or installs: the log that follows it should stay.
   *
   * @param matchIndex what the peer is known to have
   */
  indexUnderWay(peerId: PeerId, matchIndex: number): number | undefined {
    const sentIndex = this.#sentIndexes.get(peerId);
    if (sentIndex !== undefined && matchIndex >= sentIndex) {
      this.#sentIndexes.delete(peerId);
      return undefined;
    }
    return sentIndex;
  }

  expire(nowMs: number): void {
    if (this.#unsent.length > 0) {
      this.#closeWhere((made) => nowMs - made.madeMs > UNSENT_MAX_AGE_MS);
    }
  }

  stop(): void {
    this.#closeWhere(() => true);
  }

  #closeWhere(isOver: (made: MadeSnapshot) => boolean): void {
    for (const made of this.#unsent.filter(isOver)) {
      made.cursors.data.close();
      made.cursors.session.close();
    }
    this.#unsent = this.#unsent.filter((made) => !isOver(made));
  }
}
