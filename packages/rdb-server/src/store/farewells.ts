import { type PeerId, type RegionId, SECOND_MS } from "@flaredb/rdb-base";
import type { PeerMessage } from "./peer-message.ts";
import type { Transport } from "./ports.ts";

/** How often a removed leader says once more what it has committed. */
const REPEAT_INTERVAL_MS = 1 * SECOND_MS;
/** How often at most: whoever did not hear of it in an hour is looked after by people. */
const REPEAT_MAX_COUNT = 3_600;
/** Peers that are told; past it only those that were there first. */
const TOLD_MAX_COUNT = 1_024;

interface Farewell {
  readonly message: PeerMessage;
  repeatCount: number;
}

/**
 * The last word of leaders that committed their own removal: that it is committed. A group of two has nobody else who
 * could know; if that word is lost, the one that is left waits for ever for the vote of one that is gone. It is repeated
 * until the other answers that the sender was removed, which it then knows.
 */
export class Farewells {
  readonly #transport: Pick<Transport, "send">;
  readonly #kept = new Map<string, Farewell>();
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(transport: Pick<Transport, "send">) {
    this.#transport = transport;
  }

  keep(message: PeerMessage): void {
    if (this.#kept.size < TOLD_MAX_COUNT) {
      this.#kept.set(keyOf(message.regionId, message.toPeer.id), { message, repeatCount: 0 });
    }
  }

  /** The peer said that the Region has its sender no more. */
  answered(regionId: RegionId, by: PeerId): void {
    this.#kept.delete(keyOf(regionId, by));
  }

  tick(nowMs: number): void {
    if (this.#kept.size === 0 || nowMs - this.#lastMs < REPEAT_INTERVAL_MS) {
      return;
    }
    this.#lastMs = nowMs;
    for (const [key, farewell] of this.#kept) {
      this.#transport.send(farewell.message);
      farewell.repeatCount++;
      if (farewell.repeatCount >= REPEAT_MAX_COUNT) {
        this.#kept.delete(key);
      }
    }
  }
}

function keyOf(regionId: RegionId, peerId: PeerId): string {
  return `${regionId} ${peerId}`;
}
