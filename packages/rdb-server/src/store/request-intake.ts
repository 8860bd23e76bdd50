import { type Clock, type RegionId, type StoreId, limits, regionId as toRegionId } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse, RegionError, RegionHeader } from "@flaredb/rdb-proto";
import { type RequestWatch, WatchedCaller } from "../metrics/request-watch.ts";
import { errorResponse, regionNotFound } from "../peer/responses.ts";
import { isRead } from "../peer/serve-read.ts";
import type { RequestTracing } from "../tracing/request-tracing.ts";
import { TracedCaller } from "../tracing/traced-caller.ts";
import type { RegionMap } from "./region-map.ts";
import { headerRefusal, isFollowerRead, requestRefusal } from "./request-gate.ts";
import type { ServedFlow } from "./served-flow.ts";

export interface RequestIntakeOptions {
  readonly storeId: StoreId;
  readonly clock: Clock;
  readonly peers: Pick<RegionMap, "initialised">;
  readonly watch: RequestWatch;
  readonly served: ServedFlow;
  readonly tracing: RequestTracing;
  isStopped(): boolean;
  /** The refusal of what is for a Region that is not here. */
  notHereError(regionId: bigint): RegionError;
  /** Why no write is taken now, if so. */
  writeRefusal(): RegionError | undefined;
  wantsTurn(regionId: RegionId): void;
}

type Respond = (response: KvResponse) => void;

/** Where requests of clients come in: each is refused, or handed to its Region's peer and watched until it is answered. */
export class RequestIntake {
  readonly #options: RequestIntakeOptions;

  constructor(options: RequestIntakeOptions) {
    this.#options = options;
  }

  handle(header: RegionHeader | undefined, requests: readonly KvRequest[], respond: Respond): void {
    const { storeId, clock, peers, watch, served, tracing } = this.#options;
    const peer = header === undefined ? undefined : peers.initialised(safeRegionId(header.regionId));
    const refusal =
      headerRefusal(header, storeId) ??
      (peer === undefined ? this.#options.notHereError(header?.regionId ?? 0n) : undefined);
    if (peer === undefined || refusal !== undefined || this.#options.isStopped()) {
      const error = refusal ?? regionNotFound(header?.regionId ?? 0n, storeId);
      for (const request of requests) {
        this.#refuse(request, peer?.regionId, error, respond);
      }
      return;
    }
    const version = Number(header?.epoch?.version ?? 0n);
    const nowMs = clock.monotonicMs();
    const call = { watch, regionId: peer.regionId, arrivedMs: nowMs };
    const busy = this.#options.writeRefusal();
    let isAwake = false;
    for (const request of requests) {
      const error = requestRefusal(request, version, peer) ?? (isRead(request.command) ? undefined : busy);
      if (error !== undefined) {
        this.#refuse(request, peer.regionId, error, respond);
        continue;
      }
      // Of those that come together one is timed: under load that is few of many.
      const answer = served.accept(isRead(request.command), !isAwake, respond);
      if (!isAwake) {
        peer.wake(true);
        isAwake = true;
      }
      const deadlineMs = nowMs + (request.timeoutMs === 0 ? limits.deadlineMaxMs : request.timeoutMs);
      const context = tracing.contextOf(request);
      const caller =
        context === undefined
          ? new WatchedCaller(call, request, deadlineMs, answer)
          : new TracedCaller({ tracing, context }, call, request, { deadlineMs, respond: answer });
      peer.accept(caller, request, isFollowerRead(request), header?.session);
    }
    if (!isAwake && !peer.isLeader) {
      // Somebody wants the Region and finds no leader here: it must not sleep on.
      peer.wake(true);
    }
    this.#options.wantsTurn(peer.regionId);
  }

  #refuse(request: KvRequest, regionId: RegionId | undefined, error: RegionError, respond: Respond): void {
    this.#options.watch.refused(error.reason.case);
    this.#options.tracing.refused(request, regionId, error);
    respond(errorResponse(request.requestId, error));
  }
}

/** A number on the wire that is no Region id finds no Region. */
export function safeRegionId(value: bigint): RegionId {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? toRegionId(value) : toRegionId(0);
}
