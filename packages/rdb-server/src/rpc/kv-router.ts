import { create } from "@bufbuild/protobuf";
import {
  type Clock,
  type Peer,
  type Random,
  RdbError,
  type Region,
  type StoreId,
  hasCode,
  storeId as toStoreId,
} from "@flaredb/rdb-base";
import {
  type KvRequest,
  KvRequestSchema,
  type KvResponse,
  type RegionError,
  type RegionHeader,
  RegionHeaderSchema,
  type TraceContext,
  encodeTraceContext,
  epochToProto,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { isRead } from "../peer/serve-read.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { type RouteKey, checkOneRegion, holdsRouteKey, routeKeyOf } from "./command-keys.ts";
import { regionErrorToRdbError } from "./error-mapping.ts";
import type { Forwarded } from "./kv-forwarder.ts";

/** A Region and who leads it, as far as known. */
export interface RegionPlace {
  readonly region: Region;
  readonly leader: Peer | undefined;
}

export interface KvRouterOptions {
  readonly storeId: StoreId;
  readonly handle: Pick<StoreHandle, "handle" | "regionOfKey" | "regionStatus" | "regionStatuses">;
  readonly clock: Clock;
  readonly random: Random;
  readonly addressOf: (storeId: StoreId) => string | undefined;
  /** Asks PD. Rejects with RdbError. */
  readonly lookUp: (routeKey: RouteKey) => Promise<RegionPlace>;
  readonly forward: (
    address: string,
    header: RegionHeader,
    request: KvRequest,
    timeoutMs: number,
  ) => Promise<Forwarded>;
}

type Command = Exclude<KvRequest["command"], { case: undefined }>;

/** Where a request goes next. */
interface Target {
  readonly region: Region;
  readonly storeId: StoreId;
}

const RETRY_MIN_MS = 5;
const RETRY_MAX_MS = 200;

/**
 * Carries out single requests of clients that know no map: finds the Region, goes to its leader here or one hop away,
 * and follows what it is told, within the deadline. A write is sent at most once to where it may be applied; when it
 * then stays unanswered, its outcome is unknown, and said to be.
 */
export class KvRouter {
  readonly #options: KvRouterOptions;

  constructor(options: KvRouterOptions) {
    this.#options = options;
  }

  /**
   * @param command validated
   * @param trace of a caller that traces it
   * @throws RdbError RDB_DEADLINE_EXCEEDED (not applied), RDB_UNDETERMINED_RESULT (a write of unknown outcome),
   * RDB_INVALID_ARGUMENT for keys of several Regions, and what the Region refuses
   */
  async execute(command: Command, timeoutMs: number, trace?: TraceContext): Promise<KvResponse["result"]> {
    const call = new Call(this.#options, command, timeoutMs);
    call.traceContext = trace && encodeTraceContext(trace);
    let target: Target | undefined;
    for (let attempts = 0; ; attempts++) {
      target ??= await this.#find(call);
      const next = target === undefined ? undefined : await this.#attempt(call, target);
      if (next !== undefined && "result" in next) {
        return next.result;
      }
      const isElsewhere = next?.target !== undefined && attempts < 2;
      target = next?.target;
      if (!isElsewhere) {
        await call.pause(attempts);
      }
    }
  }

  /** The Region's leader, or the Region here when no leader is known: to ask for it is what wakes it. */
  async #find(call: Call): Promise<Target | undefined> {
    const { handle, storeId } = this.#options;
    const here = this.#regionHere(call.routeKey);
    if (here !== undefined) {
      const leaderPeerId = handle.regionStatus(here.id)?.leaderPeerId;
      const leader = here.peers.find((peer) => peer.id === leaderPeerId);
      return { region: here, storeId: leader?.storeId ?? storeId };
    }
    try {
      const { region, leader } = await this.#options.lookUp(call.routeKey);
      const any = leader ?? region.peers.find((peer) => peer.role === "Voter");
      return any === undefined ? undefined : { region, storeId: any.storeId };
    } catch (error) {
      if (hasCode(error, "RDB_CLUSTER_NOT_BOOTSTRAPPED") || hasCode(error, "RDB_INVALID_ARGUMENT")) {
        throw error;
      }
      // PD is away, or the Region is just changing: asked again until time runs out.
      call.lastError = RdbError.from(error);
      return undefined;
    }
  }

  #regionHere(routeKey: RouteKey): Region | undefined {
    const { handle } = this.#options;
    return routeKey.before
      ? handle.regionStatuses().find((status) => holdsRouteKey(status.region, routeKey))?.region
      : handle.regionOfKey(routeKey.key);
  }

  async #attempt(
    call: Call,
    target: Target,
  ): Promise<{ readonly result: KvResponse["result"] } | { readonly target: Target | undefined }> {
    checkOneRegion(call.command, target.region);
    const outcome = await this.#send(call, target);
    if (outcome.kind !== "answered") {
      call.lastError = outcome.error;
      if (outcome.kind === "unanswered" && call.isWrite) {
        throw new RdbError(
          "RDB_UNDETERMINED_RESULT",
          `the write was sent to Store ${target.storeId} and not answered: it may or may not be applied`,
          { cause: outcome.error },
        );
      }
      return { target: undefined };
    }
    const { result } = outcome.response;
    return result.case === "error" ? this.#follow(call, target, result.value) : { result };
  }

  #send(call: Call, target: Target): Promise<Forwarded> {
    const { storeId, addressOf, forward } = this.#options;
    const remainingMs = call.remainingMs();
    const header = create(RegionHeaderSchema, {
      regionId: BigInt(target.region.id),
      epoch: epochToProto(target.region.epoch),
      storeId: BigInt(target.storeId),
    });
    const request = create(KvRequestSchema, {
      requestId: 1,
      timeoutMs: Math.max(1, Math.floor(remainingMs)),
      command: call.command,
      ...(call.traceContext && { traceContext: call.traceContext }),
    });
    if (target.storeId === storeId) {
      return this.#handleHere(header, request, remainingMs);
    }
    const address = addressOf(target.storeId);
    if (address === undefined) {
      const error = new RdbError("RDB_UNAVAILABLE", `the address of Store ${target.storeId} is not known`);
      return Promise.resolve({ kind: "unsent", error });
    }
    return forward(address, header, request, remainingMs);
  }

  #handleHere(header: RegionHeader, request: KvRequest, timeoutMs: number): Promise<Forwarded> {
    const { clock, handle } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(timeoutMs, () => {
        const error = new RdbError("RDB_DEADLINE_EXCEEDED", "the Region did not answer in time");
        resolve({ kind: "unanswered", error });
      });
      handle.handle(header, [request], (response) => {
        timer.cancel();
        resolve({ kind: "answered", response });
      });
    });
  }

  /** What a refusal says about where to go; refusals that say nothing about it are the answer. */
  #follow(call: Call, target: Target, error: RegionError): { readonly target: Target | undefined } {
    const { reason } = error;
    call.lastError = regionErrorToRdbError(error);
    switch (reason.case) {
      case "notLeader": {
        const hint = reason.value.leader;
        return { target: hint === undefined ? undefined : { ...target, storeId: toStoreId(hint.storeId) } };
      }
      case "epochNotMatch": {
        const region = reason.value.currentRegions
          .map(regionFromProto)
          .find((current) => holdsRouteKey(current, call.routeKey));
        return { target: region === undefined ? undefined : { ...target, region } };
      }
      case "regionNotFound":
      case "keyNotInRegion":
      case "storeNotMatch":
        return { target: undefined };
      case "staleCommand":
        if (!call.isWrite) {
          return { target: undefined };
        }
        throw call.lastError;
      default:
        throw call.lastError;
    }
  }
}

/** One request on its way. */
class Call {
  readonly command: Command;
  readonly routeKey: RouteKey;
  readonly isWrite: boolean;
  readonly #options: KvRouterOptions;
  readonly #timeoutMs: number;
  readonly #deadlineMs: number;
  /** As KvRequest has it. */
  traceContext: Uint8Array | undefined;
  /** Why it is still on its way. */
  lastError: RdbError | undefined;

  constructor(options: KvRouterOptions, command: Command, timeoutMs: number) {
    this.#options = options;
    this.command = command;
    this.routeKey = routeKeyOf(command);
    this.isWrite = !isRead(command);
    this.#timeoutMs = timeoutMs;
    this.#deadlineMs = options.clock.monotonicMs() + timeoutMs;
  }

  /** @throws RdbError RDB_DEADLINE_EXCEEDED when there is no time left; nothing is under way then */
  remainingMs(): number {
    const remainingMs = this.#deadlineMs - this.#options.clock.monotonicMs();
    if (remainingMs <= 0) {
      const why = this.lastError === undefined ? "" : `: ${this.lastError.message}`;
      throw new RdbError("RDB_DEADLINE_EXCEEDED", `not done within ${this.#timeoutMs} ms${why}`, {
        cause: this.lastError,
      });
    }
    return remainingMs;
  }

  /** Waits before the next attempt, doubled each time and drawn from its upper half. */
  async pause(attempts: number): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempts, 10));
    const drawnMs = Math.min(delayMs * (0.5 + random.nextFraction() / 2), this.remainingMs());
    await new Promise<void>((resolve) => clock.setTimer(drawnMs, resolve));
    this.remainingMs();
  }
}
