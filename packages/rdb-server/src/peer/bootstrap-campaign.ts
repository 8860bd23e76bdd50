import type { Region, StoreId } from "@flaredb/rdb-base";

/** What decides whether a peer campaigns at once. */
export interface CampaignStart {
  readonly region: Region;
  /** Whether the peer was made in this run of the Store. */
  readonly isNew: boolean;
  /** Whether it is the one of a new Region that is to lead. Default: the first of the list is. */
  readonly campaigns?: boolean;
  /** An empty peer never campaigns: it does not know who votes. Default true. */
  readonly isInitialised?: boolean;
}

/** Ticks between the attempts of the first peer of a new Region to lead it. */
const ATTEMPT_TICKS = 2;
/** After this many attempts the ordinary election timeout decides. */
const ATTEMPTS_MAX_COUNT = 20;

/**
 * A Region that was just made has one peer that campaigns at once: the first of its list, or after a split the one
 * beside the leader. The others may not be made yet, so it tries a few times in quick succession.
 */
export class BootstrapCampaign {
  #ticks = 0;
  #attemptsLeft: number;

  constructor({ region, isNew, campaigns, isInitialised = true }: CampaignStart, storeId: StoreId) {
    const isFirst = isInitialised && region.peers[0]?.storeId === storeId;
    // Alone it needs nobody's vote, at any start.
    const isAlone = isFirst && region.peers.length === 1;
    this.#attemptsLeft = isAlone ? 1 : isNew && (campaigns ?? isFirst) ? ATTEMPTS_MAX_COUNT : 0;
  }

  /** It has heard a leader, which it may forget again before the next tick, but not what it promised. */
  end(): void {
    this.#attemptsLeft = 0;
  }

  /** Whether to campaign at this tick. */
  shouldCampaign(hasLeader: boolean): boolean {
    if (this.#attemptsLeft === 0) {
      return false;
    }
    if (hasLeader) {
      this.end();
      return false;
    }
    if (this.#ticks++ % ATTEMPT_TICKS !== 0) {
      return false;
    }
    this.#attemptsLeft--;
    return true;
  }
}
