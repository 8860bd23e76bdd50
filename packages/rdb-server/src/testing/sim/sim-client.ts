import {
  assert,
  type Clock,
  type Random,
  type Region,
  type RegionId,
  type StoreId,
  keyInRange,
  rangesOverlap,
  storeId,
} from "@flaredb/rdb-base";
import {
  type ClientSession,
  type KvRequest,
  type KvResponse,
  type RegionError,
  type RegionHeader,
  epochToProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { isRead } from "../../peer/serve-read.ts";
import { ClientWrites, type SentIdentity } from "./client-writes.ts";
import { type KvCommand, firstKey, kvRequest } from "./kv-requests.ts";
import type { ProcessClock } from "./process-clock.ts";
import type { SimStore } from "./sim-store.ts";

/** How a call ended. `failed`: certainly not applied. `unknown`: a write may be applied, now or later. */
export type Outcome =
  | { readonly kind: "ok"; readonly result: KvResponse["result"] }
  | { readonly kind: "failed"; readonly error: RegionError | undefined }
  | { readonly kind: "unknown"; readonly error: RegionError | undefined };

export interface CallOptions {
  /** When the client gives up. Default 10 s. */
  readonly timeoutMs?: number;
  /** Asks this Store only, once, and takes its first answer for the outcome. */
  readonly only?: StoreId;
  /** Lets the peer that is asked serve the read though it does not lead. */
  readonly fromFollower?: boolean;
  /** Sent as it is, as a test wants it. Default: what the client's own writes are given, if they are. */
  readonly identity?: SentIdentity;
}

export interface SimClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: readonly SimStore[];
  /** Under which its writes are sent, again and again until they are answered. Default: they have no identity. */
  readonly clientId?: number;
  /** As PD knows it. */
  regionOf(key: Uint8Array): Region;
}

/** Nobody answered: the Store died with the request, or was not there to take it. */
type NoAnswer = "lost" | "refused";

const DEFAULT_TIMEOUT_MS = 10_000;
/** One way between a client and a Store. */
const HOP_MS = 0.2;
const BACKOFF_MS = 20;
/** A Store that runs must answer this long after the request's timeout at the latest. */
const LATE_ANSWER_MS = 1_000;
/** No Store's clock runs slower than the client's by more than this factor. */
const CLOCK_RATE_MAX = 1.2;

/**
 * A client as the SDK behaves: follows hints, backs off, repeats a write whose fate is unknown only under its identity.
 * It reaches every Store, whatever links between Stores are cut. Its calls need somebody to let time pass.
 */
export class SimClient {
  readonly #options: SimClientOptions;
  readonly #leaders = new Map<RegionId, StoreId>();
  readonly #regions = new Map<RegionId, Region>();
  readonly #writes: ClientWrites | undefined;
  #requestCount = 0;

  constructor(options: SimClientOptions) {
    this.#options = options;
    const { clock, clientId } = options;
    this.#writes = clientId === undefined ? undefined : new ClientWrites(clock, clientId);
  }

  /** Requests that it sent. */
  get sentCount(): number {
    return this.#requestCount;
  }

  call(command: KvCommand, options: CallOptions = {}): Promise<Outcome> {
    return this.#writes === undefined || isRead(command) || options.only !== undefined
      ? this.#call(command, options)
      : this.#write(this.#writes, command, options);
  }

  /**
   * A write under its identity. Refused for its time of issue, it is issued anew if no try of it may have been applied.
   */
  async #write(writes: ClientWrites, command: KvCommand, options: CallOptions): Promise<Outcome> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    for (;;) {
      const identity = writes.begin();
      const timeoutMs = endMs - clock.monotonicMs();
      const outcome = await this.#call(command, { ...options, timeoutMs, identity });
      writes.end(identity);
      const reason = outcome.kind === "ok" ? undefined : outcome.error?.reason;
      if (reason?.case !== "requestExpired") {
        return outcome;
      }
      writes.learnLogTime(Number(reason.value.logTimeMs));
      if (outcome.kind === "unknown" || clock.monotonicMs() + BACKOFF_MS >= endMs) {
        return outcome;
      }
    }
  }

  async #call(command: KvCommand, options: CallOptions): Promise<Outcome> {
    const { clock } = this.#options;
    let isSafe = true;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    for (let attempt = 0; ; attempt++) {
      const region = this.#regionOf(command);
      const target = options.only ?? this.#target(region.id, attempt);
      const answer = await this.#ask(target, { region, command, deadlineMs, options });
      const outcome = this.#judge(command, answer, region.id, target);
      const isRepeatable = options.identity !== undefined && options.only === undefined;
      if (outcome?.kind === "unknown" && isRepeatable) {
        isSafe = false;
      } else if (outcome !== undefined) {
        return outcome.kind === "failed" && !isSafe ? { ...outcome, kind: "unknown" } : outcome;
      }
      if (options.only !== undefined || clock.monotonicMs() + BACKOFF_MS >= deadlineMs) {
        const error = typeof answer === "string" ? undefined : errorOf(answer);
        return { kind: isSafe ? "failed" : "unknown", error };
      }
      await new Promise<void>((resolve) => clock.setTimer(BACKOFF_MS, resolve));
    }
  }

  /** Where the command's first key lies, as far as this client was told. */
  #regionOf(command: KvCommand): Region {
    const key = firstKey(command);
    for (const region of this.#regions.values()) {
      if (keyInRange(key, region)) {
        return region;
      }
    }
    const region = this.#options.regionOf(key);
    this.#learn([region]);
    return region;
  }

  /** What these Regions cover is theirs, whatever was believed before. */
  #learn(regions: readonly Region[]): void {
    for (const region of regions) {
      for (const known of this.#regions.values()) {
        if (rangesOverlap(known, region)) {
          this.#regions.delete(known.id);
        }
      }
      this.#regions.set(region.id, region);
    }
  }

  /** The peer that led before a split leads all the Regions after it. */
  #takeRegions(regions: readonly Region[], by: StoreId): void {
    this.#learn(regions);
    for (const { id } of regions.filter((region) => !this.#leaders.has(region.id))) {
      this.#leaders.set(id, by);
    }
  }

  /** @returns undefined: it was certainly not applied, and may be tried again */
  #judge(
    command: KvCommand,
    answer: KvResponse | NoAnswer,
    regionId: RegionId,
    target: StoreId,
  ): Outcome | undefined {
    if (typeof answer === "string") {
      return isRead(command) || answer === "refused" ? undefined : { kind: "unknown", error: undefined };
    }
    if (answer.result.case !== "error") {
      return { kind: "ok", result: answer.result };
    }
    const error = answer.result.value;
    switch (error.reason.case) {
      case "notLeader":
        this.#follow(regionId, error.reason.value.leader?.storeId);
        return undefined;
      case "epochNotMatch":
        this.#regions.delete(regionId);
        this.#takeRegions(error.reason.value.currentRegions.map(regionFromProto), target);
        return undefined;
      case "staleCommand":
        return isRead(command) ? undefined : { kind: "unknown", error };
      case "regionNotFound":
        this.#regions.delete(regionId);
        return undefined;
      case "serverIsBusy":
        return undefined;
      default:
        return { kind: "failed", error };
    }
  }

  #follow(regionId: RegionId, leaderStoreId: bigint | undefined): void {
    if (leaderStoreId === undefined) {
      this.#leaders.delete(regionId);
    } else {
      this.#leaders.set(regionId, storeId(leaderStoreId));
    }
  }

  #target(regionId: RegionId, attempt: number): StoreId {
    const { stores, random } = this.#options;
    const hinted = this.#leaders.get(regionId);
    const isUp = stores.some((store) => store.storeId === hinted && store.isRunning);
    // Every few attempts somebody else is asked: a hint may be out of date for good.
    if (hinted !== undefined && isUp && attempt % 4 !== 3) {
      return hinted;
    }
    return (stores[random.nextInt(stores.length)] as SimStore).storeId;
  }

  #ask(target: StoreId, call: SentCall): Promise<KvResponse | NoAnswer> {
    const { clock, stores } = this.#options;
    const store = stores.find((candidate) => candidate.storeId === target);
    const planned = call.options.identity;
    const identity = planned === undefined ? undefined : (this.#writes?.again(planned) ?? planned);
    const request = kvRequest({
      requestId: ++this.#requestCount,
      command: call.command,
      identity,
      timeoutMs: Math.max(1, Math.floor(call.deadlineMs - clock.monotonicMs())),
      fromFollower: call.options.fromFollower ?? false,
    });
    return new Promise((resolve, reject) => {
      clock.setTimer(HOP_MS, () => {
        if (store?.isServing !== true) {
          resolve("refused");
          return;
        }
        const answer = new PendingAnswer(clock, store.clock, { resolve, reject });
        store.call((running) => {
          answer.take();
          running.handle(headerFor(call.region, target, identity?.session), [request], (response) =>
            answer.give(response),
          );
        });
        answer.watch(request);
      });
    });
  }
}

/** One request on its way. */
interface SentCall {
  readonly region: Region;
  readonly command: KvCommand;
  readonly deadlineMs: number;
  readonly options: CallOptions;
}

interface Settle {
  readonly resolve: (answer: KvResponse | NoAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Waits for a Store's answer, and holds the Store to giving exactly one in time. */
class PendingAnswer {
  readonly #clock: Clock;
  readonly #process: ProcessClock;
  readonly #settle: Settle;
  #answerCount = 0;
  #isTaken = false;
  /** How long the Store ran with the request in its hands. */
  #heldMs = 0;

  constructor(clock: Clock, process: ProcessClock, settle: Settle) {
    this.#clock = clock;
    this.#process = process;
    this.#settle = settle;
  }

  /** The request reached the Store: from now on its timeout counts. */
  take(): void {
    this.#isTaken = true;
  }

  give(response: KvResponse): void {
    assert(++this.#answerCount === 1, "a request is answered once");
    if (!this.#process.isDead) {
      this.#clock.setTimer(HOP_MS, () => this.#settle.resolve(response));
    }
  }

  /** Looks now and then whether the process died or forgot the request. */
  watch(request: KvRequest): void {
    if (this.#answerCount > 0) {
      return;
    }
    if (this.#process.isDead) {
      this.#settle.resolve("lost");
      return;
    }
    if (this.#isTaken && !this.#process.isSuspended) {
      this.#heldMs += BACKOFF_MS;
    }
    const { requestId, timeoutMs, command } = request;
    if (this.#heldMs > timeoutMs * CLOCK_RATE_MAX + LATE_ANSWER_MS) {
      this.#settle.reject(
        new Error(`request ${requestId}, a ${command.case}, is unanswered past its timeout`),
      );
      return;
    }
    this.#clock.setTimer(BACKOFF_MS, () => this.watch(request));
  }
}

function headerFor(region: Region, target: StoreId, session: ClientSession | undefined): RegionHeader {
  return {
    $typeName: "rdb.v1.RegionHeader",
    regionId: BigInt(region.id),
    epoch: epochToProto(region.epoch),
    storeId: BigInt(target),
    ...(session === undefined ? {} : { session }),
  };
}

function errorOf({ result }: KvResponse): RegionError | undefined {
  return result.case === "error" ? result.value : undefined;
}
