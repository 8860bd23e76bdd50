import { type Logger, SECOND_MS } from "@flaredb/rdb-base";
import type { WatchedCaller } from "./request-watch.ts";

/** So many lines in one second, at most: where one request is slow, thousands are. */
const LINES_MAX_COUNT = 5;

/** One line for a request that was slow, with where its time went. Rate-limited: what is left out is counted. */
export class SlowRequestLog {
  readonly #logger: Logger;
  #secondMs = Number.NEGATIVE_INFINITY;
  #lineCount = 0;
  #leftOutCount = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param outcome `ok`, or the reason of its refusal */
  tell(caller: WatchedCaller, outcome: string, nowMs: number): void {
    if (nowMs - this.#secondMs >= SECOND_MS) {
      this.#secondMs = nowMs;
      this.#lineCount = 0;
    }
    if (this.#lineCount >= LINES_MAX_COUNT) {
      this.#leftOutCount++;
      return;
    }
    this.#lineCount++;
    const leftOut = this.#leftOutCount === 0 ? {} : { leftOutCount: this.#leftOutCount };
    this.#leftOutCount = 0;
    const { regionId: region, kind, arrivedMs, requestId, traceId } = caller;
    const fields = { region, kind, requestId, outcome, tookMs: rounded(nowMs - arrivedMs) };
    const trace = traceId === undefined ? {} : { traceId };
    this.#logger.warn({ ...fields, ...stagesOf(caller, nowMs), ...trace, ...leftOut }, "slow request");
  }
}

/**
 * Where the time went. Of a write: `queueMs` until it was proposed; from then on `appendMs` until the entry was durable
 * here and `commitMs` until it was committed and its turn came; `applyMs` until the answer. Of a read: `queueMs` until
 * what it must see was applied, and the lease or a quorum said that it may be served; `readMs` until the answer. What it
 * did not come to is left out.
 */
function stagesOf({ arrivedMs, timeline, servedMs }: WatchedCaller, nowMs: number): Record<string, number> {
  if (timeline === undefined) {
    return servedMs === 0
      ? { queueMs: rounded(nowMs - arrivedMs) }
      : { queueMs: rounded(servedMs - arrivedMs), readMs: rounded(nowMs - servedMs) };
  }
  const { proposedMs, durableMs, committedMs } = timeline;
  return {
    queueMs: rounded(proposedMs - arrivedMs),
    ...(durableMs === 0 ? {} : { appendMs: rounded(durableMs - proposedMs) }),
    ...(committedMs === 0
      ? { waitingMs: rounded(nowMs - proposedMs) }
      : { commitMs: rounded(committedMs - proposedMs), applyMs: rounded(nowMs - committedMs) }),
  };
}

/** Tenths of a millisecond are as fine as people need it. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
