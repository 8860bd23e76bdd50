import type { Region, StoreId } from "@flaredb/rdb-base";

/** Ticks between the attempts of the first peer of a new Region to lead it. */
const ATTEMPT_TICKS = 2;
/** After this many attempts the ordinary election timeout decides. */
const ATTEMPTS_MAX_COUNT = 20;

/**
 * A Region that was just made has one peer that campaigns at once: the first of its list. The others may not be made
 * yet, so it tries a few times in quick succession; nobody can have voted before, so this endangers nothing.
 */
export class BootstrapCampaign {
  #ticks = 0;
  #attemptsLeft: number;

  /** @param isNew whether the peer was made in this run of the Store */
  constructor(region: Region, storeId: StoreId, isNew: boolean) {
    const isFirst = region.peers[0]?.storeId === storeId;
    // Alone it needs nobody's vote, at any start.
    const isAlone = isFirst && region.peers.length === 1;
    this.#attemptsLeft = isAlone ? 1 : isNew && isFirst ? ATTEMPTS_MAX_COUNT : 0;
  }

  /** Whether to campaign at this tick. */
  shouldCampaign(hasLeader: boolean): boolean {
    if (this.#attemptsLeft === 0) {
      return false;
    }
    if (hasLeader) {
      this.#attemptsLeft = 0;
      return false;
    }
    if (this.#ticks++ % ATTEMPT_TICKS !== 0) {
      return false;
    }
    this.#attemptsLeft--;
    return true;
  }
}
