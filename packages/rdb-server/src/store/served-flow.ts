import {
  type FlowCounts,
  type KvResponse,
  type RegionFlowReport,
  type StoreFlow,
  durationBucket,
  noDurations,
} from "@flaredb/rdb-proto";
import type { RegionStatus } from "./store-handle.ts";

type Respond = (response: KvResponse) => void;

/** Counts requests, and how long some of them take here, from their arrival to their answer. */
export class ServedFlow {
  readonly #reads = new Served();
  readonly #writes = new Served();
  readonly #nowMs: () => number;

  /** @param nowMs monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * A request was taken on.
   *
   * @param isTimed whether the time until its answer counts
   * @returns what it is to be answered through
   */
  accept(isRead: boolean, isTimed: boolean, respond: Respond): Respond {
    const served = isRead ? this.#reads : this.#writes;
    served.count += 1;
    if (!isTimed) {
      return respond;
    }
    const startedMs = this.#nowMs();
    return (response) => {
      served.took(Math.max(0, this.#nowMs() - startedMs));
      respond(response);
    };
  }

  get counts(): { readonly putCount: number; readonly getCount: number } {
    return { putCount: this.#writes.count, getCount: this.#reads.count };
  }

  /** With what the Regions led here are asked for. */
  flow(statuses: readonly RegionStatus[]): Omit<StoreFlow, "bootId"> {
    return {
      reads: this.#reads.toCounts(),
      writes: this.#writes.toCounts(),
      regions: statuses.flatMap(busyRegion),
    };
  }
}

/** Requests of one kind. */
class Served {
  count = 0;
  readonly #durations: number[] = noDurations();

  took(ms: number): void {
    const bucket = durationBucket(ms);
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1;
  }

  toCounts(): FlowCounts {
    return { count: this.count, durations: [...this.#durations] };
  }
}

/** Below so much a second a Region is idle: what is left of an average that fades. */
const IDLE_BELOW = 0.01;

function busyRegion({ region, isLeader, load }: RegionStatus): RegionFlowReport[] {
  const { writtenBytesPerSecond, writtenKeysPerSecond, readBytesPerSecond, readKeysPerSecond } = load;
  if (!isLeader || writtenKeysPerSecond + readKeysPerSecond < IDLE_BELOW) {
    return [];
  }
  return [
    {
      id: region.id,
      writtenBytes: Math.round(writtenBytesPerSecond),
      writtenKeys: rounded(writtenKeysPerSecond),
      readBytes: Math.round(readBytesPerSecond),
      readKeys: rounded(readKeysPerSecond),
    },
  ];
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 100) / 100;
}
