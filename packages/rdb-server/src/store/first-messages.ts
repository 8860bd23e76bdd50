import type { PeerId, RegionId } from "@flaredb/rdb-base";
import type { PeerMessage } from "./peer-message.ts";

/** Regions of which a message is kept; the oldest makes room. */
const KEPT_MAX_COUNT = 1_024;

/**
 * First messages of Regions that are not here yet, because the split that makes them is not applied here: the last
 * one of each is kept, and given to the new peer. Without it an election would wait for another timeout.
 */
export class FirstMessages {
  readonly #kept = new Map<RegionId, PeerMessage>();

  keep(message: PeerMessage): void {
    const { regionId } = message;
    // Anew, so that the map's order stays that of arrival.
    this.#kept.delete(regionId);
    this.#kept.set(regionId, message);
    if (this.#kept.size > KEPT_MAX_COUNT) {
      const [oldest] = this.#kept.keys();
      this.#kept.delete(oldest as RegionId);
    }
  }

  /** What was kept for the Region, if it was for this peer. It is kept no longer. */
  take(regionId: RegionId, peerId: PeerId): PeerMessage | undefined {
    const message = this.#kept.get(regionId);
    this.#kept.delete(regionId);
    return message?.toPeer.id === peerId ? message : undefined;
  }
}
