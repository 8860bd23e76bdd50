import type { Clock } from "@flaredb/rdb-base";
import type { PdMetrics } from "./pd-metrics.ts";

/** Counts the heartbeats of Stores and how long each takes. */
export class HeartbeatWatch {
  readonly #clock: Clock;
  readonly #metrics: PdMetrics;

  constructor(clock: Clock, metrics: PdMetrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** Takes a heartbeat in. @param reportCount of Regions */
  async timed<Result>(
    kind: "store" | "region",
    reportCount: number,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const { heartbeats, heartbeatLatency, reportedRegions } = this.#metrics;
    const startedMs = this.#clock.monotonicMs();
    try {
      const result = await work();
      heartbeats[kind].value++;
      reportedRegions.value += reportCount;
      return result;
    } catch (error) {
      heartbeats.refused.value++;
      throw error;
    } finally {
      heartbeatLatency[kind].observeMs(this.#clock.monotonicMs() - startedMs);
    }
  }
}
