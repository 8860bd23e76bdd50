import type { Clock, RegionId } from "@flaredb/rdb-base";
import type { Peer } from "../peer/peer.ts";

/** Until rows are counted again after a count that failed. */
const COUNT_PAUSE_MS = 30_000;

/** Has the rows of Regions counted whose leaders want to know their size: one at a time, so that it never takes more than one reader. */
export class SizeCounter {
  readonly #clock: Clock;
  readonly #waiting = new Set<RegionId>();
  #isCounting = false;
  /** After a count that failed. */
  #againMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The peer may want its rows counted. */
  note(peer: Peer): void {
    if (peer.isLeader && peer.size.wantsCount) {
      this.#waiting.add(peer.regionId);
    }
  }

  /** Begins with the next one, unless one is being counted. */
  tick(peerOf: (regionId: RegionId) => Peer | undefined): void {
    if (this.#isCounting || this.#clock.monotonicMs() < this.#againMs) {
      return;
    }
    for (const regionId of this.#waiting) {
      this.#waiting.delete(regionId);
      const peer = peerOf(regionId);
      if (peer?.isLeader === true && peer.size.wantsCount && !peer.check.isDamaged) {
        void this.#count(peer);
        return;
      }
    }
  }

  /** Never rejects. */
  async #count(peer: Peer): Promise<void> {
    this.#isCounting = true;
    try {
      await peer.size.count();
    } catch (error) {
      peer.check.readFailed(error);
      this.#againMs = this.#clock.monotonicMs() + COUNT_PAUSE_MS;
    } finally {
      this.#isCounting = false;
      this.note(peer);
    }
  }
}
