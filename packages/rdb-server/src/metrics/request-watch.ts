import type { Clock, Logger, RegionId } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import type { Caller, EntryTimeline } from "../peer/proposal-queue.ts";
import { SlowRequestLog } from "./slow-request-log.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export interface RequestWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
  /** A request that took longer is told of; 0: none is. */
  readonly slowRequestMs: number;
}

/**
 * So many answers that are given in one go share a reading of the clock, which would cost more than all else here: times
 * are as exact as it takes to give them.
 */
const ANSWERS_PER_READING = 32;

/** Sees every request of a client answered: how long each took, why some were refused, and which were slow. */
export class RequestWatch {
  readonly #clock: Clock;
  readonly #metrics: StoreMetrics;
  readonly #slow: SlowRequestLog;
  #nowMs = 0;
  /** Answers that may still take `#nowMs` for the present. */
  #answersLeft = 0;
  /** May change while the Store runs. */
  slowRequestMs: number;

  constructor({ clock, logger, metrics, slowRequestMs }: RequestWatchOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.slowRequestMs = slowRequestMs;
    this.#slow = new SlowRequestLog(logger);
  }

  /** Called once for each request, with its answer. */
  answered(caller: WatchedCaller, { result }: KvResponse): void {
    const nowMs = this.#readClock();
    const tookMs = nowMs - caller.arrivedMs;
    if (result.case === "error") {
      this.refused(result.value.reason.case);
    } else if (result.case !== undefined) {
      this.#metrics.requestLatency[result.case].observeMs(tookMs);
    }
    if (tookMs > this.slowRequestMs && this.slowRequestMs > 0) {
      this.#metrics.slowRequests.value++;
      this.#slow.tell(caller, result.case === "error" ? (result.value.reason.case ?? "other") : "ok", nowMs);
    }
  }

  #readClock(): number {
    if (this.#answersLeft === 0) {
      this.#nowMs = this.#clock.monotonicMs();
      this.#answersLeft = ANSWERS_PER_READING;
      queueMicrotask(() => {
        this.#answersLeft = 0;
      });
    }
    this.#answersLeft--;
    return this.#nowMs;
  }

  /** A request was answered with a refusal. */
  refused(reason: RefusalReason): void {
    this.#metrics.refusals[reason ?? "other"].value++;
  }
}

type RefusalReason = Extract<KvResponse["result"], { case: "error" }>["value"]["reason"]["case"];

/** What one call of a client's requests has in common. */
export interface WatchedCall {
  readonly watch: RequestWatch;
  readonly regionId: RegionId;
  readonly arrivedMs: number;
}

/** Who waits for the answer to one request, watched on its way. */
export class WatchedCaller implements Caller {
  readonly requestId: number;
  readonly deadlineMs: number;
  /** The request's kind. */
  readonly kind: KvRequest["command"]["case"];
  readonly #call: WatchedCall;
  readonly #respond: (response: KvResponse) => void;
  timeline: EntryTimeline | undefined = undefined;
  servedMs = 0;

  constructor(
    call: WatchedCall,
    request: Pick<KvRequest, "requestId" | "command">,
    deadlineMs: number,
    respond: (response: KvResponse) => void,
  ) {
    this.#call = call;
    this.#respond = respond;
    this.requestId = request.requestId;
    this.deadlineMs = deadlineMs;
    this.kind = request.command.case;
  }

  get arrivedMs(): number {
    return this.#call.arrivedMs;
  }

  get regionId(): RegionId {
    return this.#call.regionId;
  }

  /** Of a request that is traced. */
  get traceId(): string | undefined {
    return undefined;
  }

  respond(response: KvResponse): void {
    this.#call.watch.answered(this, response);
    this.#respond(response);
  }
}
