import type { MessageType } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../store/peer-message.ts";

/** A place in the urgent lane's queue. Its message may be replaced until it is sent. */
export interface UrgentItem {
  readonly key: string | undefined;
  message: PeerMessage;
}

/** Messages of which only the newest to a peer counts: whoever gets it needs none of the older ones. */
const supersedingTypes: ReadonlySet<MessageType> = new Set([
  "MsgVote",
  "MsgVoteResp",
  "MsgPreVote",
  "MsgPreVoteResp",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTimeoutNow",
  "MsgTransferLeader",
]);

/** Messages that must not stand behind a long append. ReadIndex carries a request each, so every one is kept. */
const urgentTypes: ReadonlySet<MessageType> = new Set([
  ...supersedingTypes,
  "MsgReadIndex",
  "MsgReadIndexResp",
]);

/** Whether the message takes the connection for votes, heartbeats and ReadIndex. */
export function isUrgent(message: PeerMessage): boolean {
  return message.payload.kind !== "raft" || urgentTypes.has(message.payload.message.type);
}

/**
 * One slot per Region, peer and kind for what waits in the urgent lane: a newer message takes the place of an older
 * one, so that a slow connection delays a heartbeat but never piles them up.
 */
export class UrgentSlots {
  readonly #waiting = new Map<string, UrgentItem>();

  /** @returns the item to queue; undefined when the message took the place of one that waits */
  offer(message: PeerMessage): UrgentItem | undefined {
    const key = slotKey(message);
    if (key === undefined) {
      return { key, message };
    }
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.message = message;
      return undefined;
    }
    const item = { key, message };
    this.#waiting.set(key, item);
    return item;
  }

  /** The item is being sent, or was dropped: the next message of its kind needs a place of its own. */
  release(item: UrgentItem): void {
    if (item.key !== undefined) {
      this.#waiting.delete(item.key);
    }
  }

  /** The queue is lost. */
  clear(): void {
    this.#waiting.clear();
  }
}

function slotKey(message: PeerMessage): string | undefined {
  const { payload } = message;
  const kind = payload.kind === "raft" ? payload.message.type : payload.kind;
  if (payload.kind === "raft" && !supersedingTypes.has(payload.message.type)) {
    return undefined;
  }
  return `${message.regionId} ${message.toPeer.id} ${kind}`;
}
