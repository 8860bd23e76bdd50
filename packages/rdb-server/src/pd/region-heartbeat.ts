import { create } from "@bufbuild/protobuf";
import { type Clock, type Logger, type Random, RdbError, type RegionId } from "@flaredb/rdb-base";
import { pause } from "@flaredb/rdb-wire";
import {
  type CommandRefusal,
  type PeerSurvey,
  type RecoveryResult,
  type RegionHeartbeatRequest,
  RegionHeartbeatRequestSchema,
  type RegionHeartbeatResponse,
} from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { StoreHandle } from "../store/store-handle.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { type PdClient, type PdConnection, pdError } from "./pd-connection.ts";
import { regionReport } from "./region-report.ts";

export interface RegionHeartbeatOptions {
  readonly connection: PdConnection;
  readonly ident: StoreIdent;
  readonly bootId: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly keepaliveIntervalMs: number;
  /** Whether this Store's disk stands still: then it must not look alive. */
  readonly isStalled: () => boolean;
  /** PD answers on a new stream. What was on its way on the old one may be lost. */
  readonly onConnected: () => void;
  /** Must not throw. */
  readonly onCommand: (response: RegionHeartbeatResponse) => void;
  /** PD does not take this Store's stream, or went away. Awaited before the next attempt. */
  readonly onEnded: (error: RdbError) => Promise<void>;
}

/** Regions of one message; more follow in the next. */
const REGIONS_MAX_COUNT = 5_000;
/** Refusals that wait; past it the oldest are forgotten, and PD finds out by its own timeouts. */
const REFUSALS_MAX_COUNT = 1_000;
/** Results of PD's orders to recover Regions that wait; PD orders again what it did not hear of. */
const RECOVERY_RESULTS_MAX_COUNT = 10_000;

/**
 * The stream to PD: a keepalive every `keepaliveIntervalMs`, changed Regions at once, PD's commands back. Opened anew
 * whenever it ends; `onConnected` is then to report everything.
 */
export class RegionHeartbeat {
  readonly #options: RegionHeartbeatOptions;
  readonly #source: Pick<StoreHandle, "regionStatus">;
  readonly #changed = new Set<RegionId>();
  #refusals: CommandRefusal[] = [];
  /** Of the latest survey, which makes those of former ones void. */
  #surveyPages: PeerSurvey[] = [];
  #recoveryResults: RecoveryResult[] = [];
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  #isConnected = false;
  #running: Promise<void> | undefined;

  constructor(options: RegionHeartbeatOptions, source: Pick<StoreHandle, "regionStatus">) {
    this.#options = options;
    this.#source = source;
  }

  /** Whether PD answers on the stream. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  regionChanged(regionId: RegionId): void {
    this.#changed.add(regionId);
    this.#wake?.();
  }

  /** A command of PD is not carried out: said with the next message, which comes at once. */
  refuse(refusal: CommandRefusal): void {
    this.#refusals.push(refusal);
    this.#refusals = this.#refusals.slice(-REFUSALS_MAX_COUNT);
    this.#wake?.();
  }

  /** A survey that PD asked for: a page with each message from the next one on. */
  surveyed(pages: PeerSurvey[]): void {
    this.#surveyPages = pages;
    this.#wake?.();
  }

  /** How orders of PD ended. What is lost on the way PD asks for by ordering it again. */
  recovered(results: readonly RecoveryResult[]): void {
    this.#recoveryResults.push(...results);
    this.#recoveryResults = this.#recoveryResults.slice(-RECOVERY_RESULTS_MAX_COUNT);
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, connection } = this.#options;
    const { signal } = this.#stop;
    for (let failedAttempts = 0; !signal.aborted; failedAttempts++) {
      const { wasConnected, leaderIsKnown } = await this.#runStream();
      if (wasConnected || leaderIsKnown) {
        failedAttempts = 0;
      }
      // A round of all members counts as one attempt: one of them will lead soon.
      const failedRounds = Math.floor(failedAttempts / connection.memberCount);
      await pause(clock, retryDelayMs(failedRounds, random), signal);
    }
  }

  /** One stream, from its opening to its end. @returns whether PD answered on it, or said who leads it */
  async #runStream(): Promise<{ readonly wasConnected: boolean; readonly leaderIsKnown: boolean }> {
    const { connection, logger, onConnected, onCommand, onEnded } = this.#options;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, over.signal]);
    const { address } = connection;
    let reason = new RdbError("RDB_PD_UNAVAILABLE", `${address} ended the heartbeat stream`);
    let client: PdClient | undefined;
    try {
      client = connection.client();
      const responses = client.regionHeartbeat(this.#requests(signal), { signal });
      for await (const response of responses) {
        if (!this.#isConnected) {
          this.#isConnected = true;
          onConnected();
        }
        onCommand(response);
      }
    } catch (error) {
      reason = pdError(error);
    }
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    over.abort();
    this.#wake?.();
    if (client !== undefined) {
      connection.failOver(client, reason);
    }
    if (!this.#stop.signal.aborted) {
      logger.info({ pd: address, reason: reason.message }, "heartbeat stream to PD ended");
      await onEnded(reason);
    }
    return { wasConnected, leaderIsKnown: reason.details["leaderAddress"] !== undefined };
  }

  /** Ends with its stream, so that it takes no changes that nobody would read. */
  async *#requests(signal: AbortSignal): AsyncGenerator<RegionHeartbeatRequest> {
    while (!signal.aborted) {
      if (!this.#options.isStalled()) {
        yield this.#nextRequest();
      }
      await this.#nextOccasion();
    }
  }

  #nextRequest(): RegionHeartbeatRequest {
    const { ident, bootId } = this.#options;
    const regions = [];
    for (const regionId of this.#changed) {
      if (regions.length >= REGIONS_MAX_COUNT) {
        break;
      }
      this.#changed.delete(regionId);
      const status = this.#source.regionStatus(regionId);
      // A Region that left this Store is missing in the next digest.
      if (status !== undefined) {
        regions.push(regionReport(status));
      }
    }
    const survey = this.#surveyPages.shift();
    return create(RegionHeartbeatRequestSchema, {
      ...(survey === undefined ? {} : { survey }),
      recoveryResults: this.#recoveryResults.splice(0),
      clusterId: BigInt(ident.clusterId),
      storeId: BigInt(ident.storeId),
      bootId: BigInt(bootId),
      regions,
      refusals: this.#refusals.splice(0),
    });
  }

  #hasNews(): boolean {
    const queues = [this.#refusals, this.#surveyPages, this.#recoveryResults];
    return this.#changed.size > 0 || queues.some((queue) => queue.length > 0);
  }

  /** A change, or the time for a keepalive. Changes of one turn of the event loop travel together. */
  async #nextOccasion(): Promise<void> {
    const { clock, keepaliveIntervalMs, isStalled } = this.#options;
    if (!this.#hasNews() || isStalled()) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(keepaliveIntervalMs, resolve);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = undefined;
    }
    await new Promise<void>((resolve) => clock.setImmediate(resolve));
  }
}
