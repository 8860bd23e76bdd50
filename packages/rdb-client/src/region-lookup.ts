import { type Clock, type Random, RdbError, type RegionId, type Timer } from "@flaredb/rdb-base";
import type { GetRegionResponse } from "@flaredb/rdb-proto";
import { Backoff, type BackoffReason } from "./backoff.ts";
import type { KvCall } from "./kv-call.ts";
import type { PdClient } from "./pd-client.ts";
import { type RegionCache, findFor } from "./region-cache.ts";

/** Lookups at once; what one brings usually answers the calls behind it too. */
const LOOKUP_MAX_COUNT = 4;
/** Regions that are asked about again at once. Others keep to what is known until their calls' next pause. */
const REFRESH_MAX_COUNT = 16;
/** A Region is not asked about again before this. */
const REFRESH_PAUSE_MS = 500;
/** Regions whose last refresh is remembered. */
const REFRESH_MEMORY_MAX_COUNT = 1_000;

export interface RegionLookupHandlers {
  /** The placement driver said where a key is. */
  onRoute(answer: GetRegionResponse): void;
  /** The Region of a call that waited is in the cache now. */
  onReady(call: KvCall): void;
}

/**
 * Asks the placement driver where keys are. Calls whose Region is unknown wait here: a few lookups run at once, and
 * each answer lets every call go whose key it covers. While no placement driver answers, they wait for their
 * deadlines; calls whose Region is known never do.
 */
export class RegionLookup {
  readonly #pd: PdClient;
  readonly #cache: RegionCache;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #handlers: RegionLookupHandlers;
  readonly #waiting = new Set<KvCall>();
  /** Those of them whose keys are being asked for. */
  readonly #asked = new Set<KvCall>();
  readonly #refreshedMs = new Map<RegionId, number>();
  #refreshCount = 0;
  #backoff: Backoff;
  #pause: Timer | undefined;
  #isClosed = false;

  constructor(
    options: {
      readonly pd: PdClient;
      readonly cache: RegionCache;
      readonly clock: Clock;
      readonly random: Random;
    },
    handlers: RegionLookupHandlers,
  ) {
    this.#pd = options.pd;
    this.#cache = options.cache;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#handlers = handlers;
    this.#backoff = new Backoff(options.random);
  }

  /** `onReady` follows once the call's Region is known. */
  wait(call: KvCall): void {
    this.#waiting.add(call);
    this.#pump();
  }

  /** The call ended. */
  forget(call: KvCall): void {
    this.#waiting.delete(call);
    this.#asked.delete(call);
  }

  /** Asks again, in the background, where a call's key is: what is known of its Region does not work. */
  refresh(call: KvCall, id: RegionId): void {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#refreshedMs.get(id) ?? -Infinity;
    if (this.#isClosed || nowMs - lastMs < REFRESH_PAUSE_MS || this.#refreshCount >= REFRESH_MAX_COUNT) {
      return;
    }
    if (this.#refreshedMs.size >= REFRESH_MEMORY_MAX_COUNT) {
      this.#refreshedMs.clear();
    }
    this.#refreshedMs.set(id, nowMs);
    void this.#refresh(call);
  }

  /** Asks nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.cancel();
  }

  #pump(): void {
    if (this.#isClosed || this.#pause !== undefined) {
      return;
    }
    for (const call of this.#waiting) {
      if (this.#asked.size >= LOOKUP_MAX_COUNT) {
        return;
      }
      if (!this.#asked.has(call)) {
        this.#asked.add(call);
        void this.#ask(call);
      }
    }
  }

  async #refresh(call: KvCall): Promise<void> {
    this.#refreshCount++;
    const answer = await this.#getRegion(call);
    this.#refreshCount--;
    if (answer instanceof RdbError) {
      // The call goes on with what it knows, and says so if it fails in the end.
      call.lastError ??= answer;
    } else {
      this.#learn(answer);
    }
  }

  async #ask(call: KvCall): Promise<void> {
    const answer = await this.#getRegion(call);
    this.#asked.delete(call);
    let reason: BackoffReason = "regionMiss";
    if (answer instanceof RdbError) {
      reason = "pd";
      for (const waiting of this.#waiting) {
        waiting.lastError = answer;
      }
    } else {
      this.#learn(answer);
    }
    if (this.#waiting.has(call)) {
      // Not what the placement driver should say, or nothing at all: not again at once.
      this.#rest(reason);
    } else {
      this.#backoff = new Backoff(this.#random);
      this.#pump();
    }
  }

  async #getRegion(call: KvCall): Promise<GetRegionResponse | RdbError> {
    try {
      return await this.#pd.getRegion({ key: call.spec.key, before: call.spec.before === true });
    } catch (error) {
      return RdbError.from(error);
    }
  }

  #learn(answer: GetRegionResponse): void {
    if (this.#isClosed) {
      return;
    }
    this.#handlers.onRoute(answer);
    for (const call of this.#waiting) {
      if (findFor(this.#cache, call.spec) !== undefined) {
        this.#waiting.delete(call);
        this.#handlers.onReady(call);
      }
    }
  }

  #rest(reason: BackoffReason): void {
    if (this.#isClosed || this.#pause !== undefined) {
      return;
    }
    this.#pause = this.#clock.setTimer(this.#backoff.nextMs(reason), () => {
      this.#pause = undefined;
      this.#pump();
    });
  }
}
