import type { StoreId } from "@flaredb/rdb-base";
import { type FlowCounts, type StoreFlow, durationQuantileMs } from "@flaredb/rdb-proto";
import { trafficLimits } from "./limits.ts";

/** What all Stores together served between two looks. */
export interface FlowPoint {
  /** Of the later look: wall clock, milliseconds since 1970. */
  readonly timeMs: number;
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
  /** Within which half, and 99 of 100, were answered; undefined: there were none. */
  readonly readP50Ms: number | undefined;
  readonly readP99Ms: number | undefined;
  readonly writeP50Ms: number | undefined;
  readonly writeP99Ms: number | undefined;
}

interface Look {
  readonly timeMs: number;
  readonly flows: ReadonlyMap<StoreId, StoreFlow>;
}

/** Throughput and latency over the last minutes, from what Stores counted since they started. Pure. */
export class FlowHistory {
  readonly #points: FlowPoint[] = [];
  #last: Look | undefined;

  get points(): readonly FlowPoint[] {
    return this.#points;
  }

  /**
   * What Stores count now. A Store that did not answer is left out of both looks around; one that started anew counted
   * from nothing.
   */
  observe(flows: ReadonlyMap<StoreId, StoreFlow>, timeMs: number): void {
    const before = this.#last;
    this.#last = { timeMs, flows };
    if (before === undefined || timeMs <= before.timeMs) {
      return;
    }
    this.#points.push(pointBetween(before, { timeMs, flows }));
    this.#points.splice(0, Math.max(0, this.#points.length - trafficLimits.pointMaxCount));
  }
}

function pointBetween(before: Look, after: Look): FlowPoint {
  const seconds = (after.timeMs - before.timeMs) / 1000;
  const reads = served(before, after, (flow) => flow.reads);
  const writes = served(before, after, (flow) => flow.writes);
  return {
    timeMs: after.timeMs,
    readsPerSecond: reads.count / seconds,
    writesPerSecond: writes.count / seconds,
    readP50Ms: durationQuantileMs(reads.durations, 0.5),
    readP99Ms: durationQuantileMs(reads.durations, 0.99),
    writeP50Ms: durationQuantileMs(writes.durations, 0.5),
    writeP99Ms: durationQuantileMs(writes.durations, 0.99),
  };
}

/** What was counted between two looks, over all Stores that both of them saw. */
function served(before: Look, after: Look, pick: (flow: StoreFlow) => FlowCounts): FlowCounts {
  let count = 0;
  const durations: number[] = [];
  for (const [id, flow] of after.flows) {
    const last = before.flows.get(id);
    if (last === undefined) {
      continue;
    }
    const isSame = last.bootId === flow.bootId;
    const now = pick(flow);
    const then = isSame ? pick(last) : undefined;
    count += Math.max(0, now.count - (then?.count ?? 0));
    now.durations.forEach((value, at) => {
      durations[at] = (durations[at] ?? 0) + Math.max(0, value - (then?.durations[at] ?? 0));
    });
  }
  return { count, durations };
}
