import {
  type Clock,
  type Random,
  type Region,
  type RegionId,
  type StoreId,
  storeId,
} from "@flaredb/rdb-base";
import { type KvResponse, type RegionError, regionFromProto, regionToProto } from "@flaredb/rdb-proto";
import { isRead } from "../../peer/serve-read.ts";
import { type KvCommand, kvRequest } from "./kv-requests.ts";
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
}

export interface SimClientOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly stores: readonly SimStore[];
  regionOf(command: KvCommand): Region;
}

/** Nobody answered: the Store died with the request, or was not there to take it. */
type NoAnswer = "lost" | "refused";

const DEFAULT_TIMEOUT_MS = 10_000;
/** One way between a client and a Store. */
const HOP_MS = 0.2;
const BACKOFF_MS = 20;
/** A running Store must answer this long after the request's deadline at the latest. */
const LATE_ANSWER_MS = 1_000;

/**
 * A client as the SDK behaves: follows hints, backs off, never repeats a write whose fate is unknown. It reaches every
 * Store, whatever links between Stores are cut. Its calls need somebody to let time pass.
 */
export class SimClient {
  readonly #options: SimClientOptions;
  readonly #leaders = new Map<RegionId, StoreId>();
  readonly #regions = new Map<RegionId, Region>();
  #requestCount = 0;

  constructor(options: SimClientOptions) {
    this.#options = options;
  }

  async call(command: KvCommand, options: CallOptions = {}): Promise<Outcome> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const known = this.#options.regionOf(command);
    for (let attempt = 0; ; attempt++) {
      const target = options.only ?? this.#target(known.id, attempt);
      const region = this.#regions.get(known.id) ?? known;
      const answer = await this.#ask(target, { region, command, deadlineMs, options });
      const outcome = this.#judge(command, answer, known.id);
      if (outcome !== undefined) {
        return outcome;
      }
      if (options.only !== undefined || clock.monotonicMs() + BACKOFF_MS >= deadlineMs) {
        return { kind: "failed", error: typeof answer === "string" ? undefined : errorOf(answer) };
      }
      await new Promise<void>((resolve) => clock.setTimer(BACKOFF_MS, resolve));
    }
  }

  /** @returns undefined: it was certainly not applied, and may be tried again */
  #judge(command: KvCommand, answer: KvResponse | NoAnswer, regionId: RegionId): Outcome | undefined {
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
        for (const region of error.reason.value.currentRegions.map(regionFromProto)) {
          this.#regions.set(region.id, region);
        }
        return undefined;
      case "staleCommand":
        return isRead(command) ? undefined : { kind: "unknown", error };
      case "serverIsBusy":
      case "regionNotFound":
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

  #ask(
    target: StoreId,
    ask: {
      readonly region: Region;
      readonly command: KvCommand;
      readonly deadlineMs: number;
      readonly options: CallOptions;
    },
  ): Promise<KvResponse | NoAnswer> {
    const { clock, stores } = this.#options;
    const store = stores.find((candidate) => candidate.storeId === target);
    const timeoutMs = Math.max(1, Math.floor(ask.deadlineMs - clock.monotonicMs()));
    const request = kvRequest({
      requestId: ++this.#requestCount,
      command: ask.command,
      timeoutMs,
      fromFollower: ask.options.fromFollower ?? false,
    });
    const header = {
      $typeName: "rdb.v1.RegionHeader",
      regionId: BigInt(ask.region.id),
      epoch: regionToProto(ask.region).epoch,
      storeId: BigInt(target),
    } as const;
    return new Promise((resolve, reject) => {
      clock.setTimer(HOP_MS, () => {
        if (store?.isRunning !== true) {
          resolve("refused");
          return;
        }
        const processClock = store.clock;
        let answerCount = 0;
        const watch = (): void => {
          if (processClock.isDead) {
            resolve("lost");
          } else if (clock.monotonicMs() > ask.deadlineMs + LATE_ANSWER_MS && !processClock.isSuspended) {
            reject(new Error(`Store ${target} left a ${ask.command.case} unanswered past its deadline`));
          } else {
            clock.setTimer(BACKOFF_MS, () => (answerCount === 0 ? watch() : undefined));
          }
        };
        store.call((running) =>
          running.handle(header as Parameters<typeof running.handle>[0], [request], (response) => {
            if (++answerCount > 1) {
              throw new Error(`Store ${target} answered a ${ask.command.case} twice`);
            }
            if (!processClock.isDead) {
              clock.setTimer(HOP_MS, () => resolve(response));
            }
          }),
        );
        watch();
      });
    });
  }
}

function errorOf({ result }: KvResponse): RegionError | undefined {
  return result.case === "error" ? result.value : undefined;
}
