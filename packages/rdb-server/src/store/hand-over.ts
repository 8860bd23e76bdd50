import type { Clock, StoreId } from "@flaredb/rdb-base";
import { votesAfter } from "../peer/admin/voter-sets.ts";
import type { Peer } from "../peer/peer.ts";
import type { Transport } from "./ports.ts";
import type { RegionMap } from "./region-map.ts";

/** Whose leaderships are handed over. */
export interface HandOverOwner {
  readonly storeId: StoreId;
  readonly clock: Clock;
  readonly transport: Pick<Transport, "isAlive">;
  readonly peers: RegionMap;
  readonly tickMs: number;
}

/** How long a stopping Store waits for its leaderships to be taken over, and for the fate of its callers' writes. */
const TIMEOUT_MS = 3_000;
/** How often a stopping or slow Store hands over what it still leads. */
const INTERVAL_MS = 500;

/** Hands a Store's leaderships to other Stores: when it stops, while its disk is slow, and when it is full. */
export class HandOver {
  readonly #owner: HandOverOwner;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(owner: HandOverOwner) {
    this.#owner = owner;
  }

  /** Once in a while, however often it is called. @param isLeaving the Store stops */
  now(isLeaving = false): void {
    const nowMs = this.#owner.clock.monotonicMs();
    if (nowMs - this.#lastMs < INTERVAL_MS) {
      return;
    }
    this.#lastMs = nowMs;
    for (const peer of this.#owner.peers.values()) {
      if (peer.isLeader) {
        peer.changes.transferLeader(undefined, isLeaving);
      }
    }
  }

  /** Resolves when nothing is left that another Store could do, or after {@link TIMEOUT_MS}. */
  async all(): Promise<void> {
    const { clock, tickMs } = this.#owner;
    const deadlineMs = clock.monotonicMs() + TIMEOUT_MS;
    while ((this.#leadsWithOthers() || this.#owesAnswers()) && clock.monotonicMs() < deadlineMs) {
      this.now(true);
      await new Promise<void>((resolve) => clock.setTimer(tickMs, resolve));
    }
  }

  /** Whether some Region is led from here that a live Store could lead instead. */
  #leadsWithOthers(): boolean {
    const { storeId, transport, peers } = this.#owner;
    const couldLead = (other: Peer["region"]["peers"][number]): boolean =>
      other.storeId !== storeId && votesAfter(other) && transport.isAlive(other.storeId);
    return [...peers.values()].some((peer) => peer.isLeader && peer.region.peers.some(couldLead));
  }

  /** Whether writes that were proposed here wait to be committed by the next leader: their callers hear of it. */
  #owesAnswers(): boolean {
    return [...this.#owner.peers.values()].some((peer) => !peer.isLeader && peer.waitingWriteCount > 0);
  }
}
