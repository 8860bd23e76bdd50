import { create } from "@bufbuild/protobuf";
import { type Clock, type Logger, type RdbError, SECOND_MS, type Timer } from "@flaredb/rdb-base";
import {
  type StoreHeartbeatRequest,
  StoreHeartbeatRequestSchema,
  type StoreStats,
  StoreStatsSchema,
  reportsDigest,
} from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { RegionStatus, StoreHandle } from "../store/store-handle.ts";
import type { ClusterVersion } from "../store/cluster-version.ts";
import { type PdConnection, pdError } from "./pd-connection.ts";
import { regionReport } from "./region-report.ts";

/** What the data folder's file system says. */
export interface DiskUsage {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
}

export interface StoreHeartbeatOptions {
  readonly connection: PdConnection;
  readonly ident: StoreIdent;
  readonly clusterVersion: ClusterVersion;
  readonly bootId: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Never rejects. */
  readonly diskUsage: () => Promise<DiskUsage>;
  readonly residentMemoryBytes: () => number;
  /** PD did not take a heartbeat, or did not answer. */
  readonly onRefused: (error: RdbError) => void;
}

/** After a heartbeat that PD did not take. */
const RETRY_MS = 2 * SECOND_MS;

type Source = Pick<StoreHandle, "health" | "regionStatuses">;

/**
 * Tells PD every `intervalMs` how the Store is, and what it holds (SPEC M6): leaders' Regions each time, because
 * their sizes change; the followers' by a digest over all, in full when PD's view differs.
 */
export class StoreHeartbeat {
  readonly #options: StoreHeartbeatOptions;
  readonly #source: Source;
  readonly #startedMs: number;
  #timer: Timer | undefined;
  #isSending = false;
  #sendAgain = false;
  #wantsAll = true;
  #isStopped = false;

  constructor(options: StoreHeartbeatOptions, source: Source) {
    this.#options = options;
    this.#source = source;
    this.#startedMs = options.clock.monotonicMs();
  }

  start(): void {
    this.#beat();
  }

  /** Reports everything now: PD asked for it. */
  reportAll(): void {
    this.#wantsAll = true;
    this.#beat();
  }

  /** Reports now what is reported every `intervalMs`. */
  beatNow(): void {
    this.#beat();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #beat(): void {
    if (this.#isStopped) {
      return;
    }
    if (this.#isSending) {
      this.#sendAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#isSending = true;
    void this.#send().then((arrived) => {
      this.#isSending = false;
      this.#next(arrived ? this.#options.intervalMs : Math.min(RETRY_MS, this.#options.intervalMs));
    });
  }

  #next(delayMs: number): void {
    if (this.#sendAgain) {
      this.#sendAgain = false;
      this.#beat();
    } else if (!this.#isStopped) {
      this.#timer = this.#options.clock.setTimer(delayMs, () => this.#beat());
    }
  }

  /** @returns whether PD took it */
  async #send(): Promise<boolean> {
    const { connection, clusterVersion, logger } = this.#options;
    const usage = await this.#options.diskUsage();
    const sendsAll = this.#wantsAll;
    this.#wantsAll = false;
    const request = this.#request(usage, sendsAll);
    try {
      const { sendRegions, clusterVersion: version } = await connection.call((client, options) =>
        client.storeHeartbeat(request, options),
      );
      clusterVersion.learn(version);
      // Not when all were sent already: what differs then changed on the way, and the next beat will tell.
      if (sendRegions && !sendsAll) {
        this.#wantsAll = true;
        this.#sendAgain = true;
      }
      return true;
    } catch (error) {
      this.#wantsAll = true;
      const refusal = pdError(error);
      logger.debug({ reason: refusal.message }, "Store heartbeat failed");
      this.#options.onRefused(refusal);
      return false;
    }
  }

  #request(usage: DiskUsage, all: boolean): StoreHeartbeatRequest {
    const { ident, bootId, clusterVersion } = this.#options;
    // One list for reports and digest, so that they are of one moment.
    const statuses = this.#source.regionStatuses();
    return create(StoreHeartbeatRequestSchema, {
      clusterId: BigInt(ident.clusterId),
      storeId: BigInt(ident.storeId),
      bootId: BigInt(bootId),
      stats: this.#stats(usage),
      regions: statuses.filter((status) => all || status.isLeader).map(regionReport),
      regionsDigest: digestOf(statuses),
      clusterVersion: clusterVersion.newest,
    });
  }

  #stats(usage: DiskUsage): StoreStats {
    const health = this.#source.health();
    return create(StoreStatsSchema, {
      capacityBytes: BigInt(usage.capacityBytes),
      availableBytes: BigInt(usage.availableBytes),
      usedBytes: BigInt(usage.usedBytes),
      isSlow: health.isSlow,
      isFull: health.isFull,
      pendingRequestCount: health.pendingRequestCount,
      residentMemoryBytes: BigInt(this.#options.residentMemoryBytes()),
      putCount: BigInt(health.putCount),
      getCount: BigInt(health.getCount),
      uptimeMs: BigInt(Math.round(this.#options.clock.monotonicMs() - this.#startedMs)),
    });
  }
}

function digestOf(statuses: readonly RegionStatus[]): Uint8Array {
  return reportsDigest(
    statuses.map(({ region, peerId, isLeader }) => ({
      regionId: region.id,
      peerId,
      epoch: region.epoch,
      isLeader,
    })),
  );
}
