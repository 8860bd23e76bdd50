import { type Clock, type Logger, type RegionId, SECOND_MS } from "@flaredb/rdb-base";
import type { Peer } from "../peer/peer.ts";
import type { AdminOutcome } from "./admin-command.ts";
import type { RegionSplitter } from "./region-splitter.ts";

/** When Regions are split without being asked. */
export interface SplitTriggerLimits {
  /** A Region of this size is split into halves. */
  readonly regionSplitSizeBytes: number;
  /** A Region of which so many keys a second are asked for is split where its load is; 0: none is. */
  readonly splitQps: number;
}

/** Regions that are looked through at once, at most: each takes a reader. */
const ATTEMPTS_MAX_COUNT = 2;
/** A Region is hot when it is so for this long. */
const HOT_DURATION_MS = 3 * SECOND_MS;
/** After an attempt that failed the next one waits this long, and twice as long each time up to the greatest. */
const BACKOFF_MIN_MS = 1 * SECOND_MS;
const BACKOFF_MAX_MS = 60 * SECOND_MS;
const BACKOFFS_MAX_COUNT = 10_000;

interface Backoff {
  readonly untilMs: number;
  readonly delayMs: number;
}

/**
 * Has the Regions that are led from here split when they grew too large, or when more is asked of them than one leader
 * should serve. No storm: one attempt for a Region at a time, few at once, and a pause after one that failed.
 */
export class SplitTriggers {
  /** May change at any time. */
  limits: SplitTriggerLimits;
  readonly #splitter: RegionSplitter;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #attempts = new Set<RegionId>();
  readonly #backoffs = new Map<RegionId, Backoff>();

  constructor(
    splitter: RegionSplitter,
    options: { readonly clock: Clock; readonly logger: Logger; readonly limits: SplitTriggerLimits },
  ) {
    this.#splitter = splitter;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.limits = options.limits;
  }

  /** Looks at a peer of this Store. Called at its ticks: it only compares numbers until there is something to do. */
  look(peer: Peer, nowMs: number): void {
    if (!peer.isLeader) {
      return;
    }
    const hotMs = peer.keys.tick(nowMs, this.limits.splitQps);
    const isLarge = peer.size.mayHaveReached(this.limits.regionSplitSizeBytes);
    const isHot = this.limits.splitQps > 0 && hotMs >= HOT_DURATION_MS;
    if ((isLarge || isHot) && this.#mayTry(peer, nowMs)) {
      this.#try(peer, isLarge ? "size" : "load");
    }
  }

  #mayTry({ regionId, region }: Peer, nowMs: number): boolean {
    return (
      this.#attempts.size < ATTEMPTS_MAX_COUNT &&
      !this.#attempts.has(regionId) &&
      (this.#backoffs.get(regionId)?.untilMs ?? 0) <= nowMs &&
      !this.#splitter.isUnderWay(region)
    );
  }

  #try(peer: Peer, why: "size" | "load"): void {
    const { regionId } = peer;
    this.#attempts.add(regionId);
    const attempt =
      why === "size"
        ? this.#splitter.splitBySize(peer, this.limits.regionSplitSizeBytes)
        : this.#splitByLoad(peer);
    void attempt.then((outcome) => {
      this.#attempts.delete(regionId);
      this.#ended(regionId, why, outcome);
    });
  }

  async #splitByLoad(peer: Peer): Promise<AdminOutcome> {
    const { region } = peer;
    const key = peer.keys.splitKey(region);
    if (key === undefined) {
      const message = `what is asked of Region ${region.id} cannot be cut into two parts that matter`;
      return { ok: false, reason: "Invalid", message };
    }
    return this.#splitter.split({ regionId: region.id, epoch: region.epoch, keys: [key], partCount: 2 });
  }

  #ended(regionId: RegionId, why: "size" | "load", outcome: AdminOutcome): void {
    if (outcome.ok) {
      this.#backoffs.delete(regionId);
      return;
    }
    const delayMs =
      Math.min(BACKOFF_MAX_MS, (this.#backoffs.get(regionId)?.delayMs ?? 0) * 2) || BACKOFF_MIN_MS;
    if (this.#backoffs.size >= BACKOFFS_MAX_COUNT) {
      // Of Regions that are long gone, most of them; one that is not tries once too early.
      this.#backoffs.clear();
    }
    this.#backoffs.set(regionId, { delayMs, untilMs: this.#clock.monotonicMs() + delayMs });
    this.#logger.debug(
      { region: regionId, trigger: why, reason: outcome.message, againInMs: delayMs },
      "the Region is not split now",
    );
  }
}
