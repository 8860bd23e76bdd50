import {
  MINUTE_MS,
  type PeerId,
  RdbError,
  type ErrorCode,
  type RegionId,
  SECOND_MS,
  peerOnStore,
} from "@flaredb/rdb-base";
import { getApplyState, getRegionLocalState } from "@flaredb/rdb-storage";
import type { PeerContext } from "../peer/peer-context.ts";
import { Peer } from "../peer/peer.ts";
import type { RegionMap } from "./region-map.ts";
import type { HaltedPeer } from "./unreadable-peer.ts";

/** What passes: a merge's source that is not ready yet, a read that the disk failed without having damaged anything. */
const PASSING: readonly ErrorCode[] = ["RDB_UNAVAILABLE", "RDB_STORAGE_FAILED"];
/** Pause before the first try; it doubles with each one. */
const FIRST_PAUSE_MS = 2 * SECOND_MS;
const PAUSE_MAX_MS = 1 * MINUTE_MS;
/** After so many tries in a row a peer stays halted until its Store starts anew, or it is replaced. */
const TRIES_MAX_COUNT = 20;
/** A peer that has run for so long since begins with the first pause again. */
const FORGET_AFTER_MS = 10 * MINUTE_MS;

interface Try {
  readonly peerId: PeerId;
  /** How often it was started again. */
  readonly count: number;
  /** When it halted last. */
  readonly haltedMs: number;
  /** Never, while the peer runs again: should somebody else stop it then, who has plans for it, it stays stopped. */
  readonly dueMs: number;
}

/**
 * Starts halted peers again, as a start of the Store does, when what stopped them may have passed: one at a time, later
 * and later, and not for ever.
 */
export class PeerReopener {
  readonly #context: PeerContext;
  readonly #peers: RegionMap;
  readonly #tries = new Map<RegionId, Try>();
  #isOpening = false;
  #isStopped = false;

  constructor(context: PeerContext, peers: RegionMap) {
    this.#context = context;
    this.#peers = peers;
  }

  /** The peer has just halted. */
  halted(peer: HaltedPeer, error: unknown): void {
    const { clock } = this.#context;
    const { code } = RdbError.from(error);
    const nowMs = clock.monotonicMs();
    const last = this.#tries.get(peer.regionId);
    const goesOn = last?.peerId === peer.id && nowMs - last.haltedMs < FORGET_AFTER_MS + PAUSE_MAX_MS;
    const count = goesOn ? last.count : 0;
    if (!PASSING.includes(code) || count >= TRIES_MAX_COUNT) {
      this.#tries.delete(peer.regionId);
      return;
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** count, PAUSE_MAX_MS);
    const dueMs = nowMs + pauseMs;
    this.#tries.set(peer.regionId, { peerId: peer.id, count: count + 1, haltedMs: nowMs, dueMs });
  }

  tick(nowMs: number): void {
    if (this.#isOpening || this.#tries.size === 0) {
      return;
    }
    for (const [id, { peerId, dueMs, haltedMs }] of this.#tries) {
      const peer = this.#peers.holder(id);
      if (peer === undefined || peer.id !== peerId || nowMs - haltedMs > FORGET_AFTER_MS + PAUSE_MAX_MS) {
        this.#tries.delete(id);
      } else if (nowMs >= dueMs && this.#peers.isHalted(peer)) {
        void this.#open(peer);
        return;
      }
    }
  }

  /** The Store stops: nothing is started any more. */
  stop(): void {
    this.#isStopped = true;
  }

  async #open(halted: HaltedPeer): Promise<void> {
    const { logger } = this.#context;
    this.#isOpening = true;
    try {
      await this.#openFromDisk(halted);
    } catch (error) {
      logger.warn(
        { region: halted.regionId, peer: halted.id, reason: RdbError.from(error).message },
        "a halted peer cannot be started again now",
      );
      this.halted(halted, error);
    } finally {
      this.#isOpening = false;
    }
  }

  async #openFromDisk(halted: HaltedPeer): Promise<void> {
    const { engine, storeId, logger } = this.#context;
    const { regionId } = halted;
    // A peer that begins takes what it finds for durable, and speaks of it.
    await engine.flush();
    const local = getRegionLocalState(engine, regionId);
    const applyState = getApplyState(engine, regionId);
    const isWhole = local?.state === "Normal" && peerOnStore(local.region, storeId)?.id === halted.id;
    if (!this.#isStill(halted)) {
      return;
    }
    if (!isWhole || applyState === undefined) {
      // Only a start of the Store goes on from there. Kept, it would be the next one again and again.
      this.#tries.delete(regionId);
      return;
    }
    const start = { region: local.region, applyState, isNew: false, takesOver: true };
    const peer = await Peer.open(this.#context, start);
    if (!this.#isStill(halted)) {
      peer.stop();
      return;
    }
    logger.info({ region: regionId, peer: peer.id }, "a halted peer is started again");
    this.#peers.remove(regionId);
    this.#peers.add(peer);
    const last = this.#tries.get(regionId);
    if (last !== undefined) {
      this.#tries.set(regionId, { ...last, dueMs: Number.POSITIVE_INFINITY });
    }
    this.#context.wantsTurn(regionId);
    this.#context.regionChanged(regionId);
  }

  #isStill(halted: HaltedPeer): boolean {
    return !this.#isStopped && this.#peers.isHalted(halted);
  }
}
