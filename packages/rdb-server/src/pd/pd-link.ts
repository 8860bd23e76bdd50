import {
  type Clock,
  type ErrorCode,
  type Logger,
  type Random,
  RdbError,
  type Region,
  type RegionId,
} from "@flaredb/rdb-base";
import { pause } from "@flaredb/rdb-wire";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import type { PdReporter } from "../store/ports.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import type { ClusterVersion } from "../store/cluster-version.ts";
import type { AddressBook } from "../transport/address-book.ts";
import { PdCommands, type PdCommandsHandle } from "./pd-commands.ts";
import type { PdConnection } from "./pd-connection.ts";
import { findRegion } from "./region-by-id.ts";
import { lookUpRegion } from "./region-lookup.ts";
import { RegionHeartbeat } from "./region-heartbeat.ts";
import type { Registration } from "./registration.ts";
import { type DiskUsage, StoreHeartbeat } from "./store-heartbeat.ts";

/** What PD may ask of the loop, and what is told to PD. */
export type PdLinkHandle = PdCommandsHandle & Pick<StoreHandle, "regionStatuses" | "regionStatus" | "health">;

export interface PdLinkOptions {
  readonly connection: PdConnection;
  readonly registration: Registration;
  readonly ident: StoreIdent;
  /** Whether this process registered already. */
  readonly isRegistered: boolean;
  readonly bootId: number;
  readonly config: StoreConfig["pd"];
  readonly addressBook: AddressBook;
  readonly clusterVersion: ClusterVersion;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly isStalled: () => boolean;
  readonly diskUsage: () => Promise<DiskUsage>;
  readonly residentMemoryBytes: () => number;
  /** PD does not want this Store, for good. Said again as long as PD is asked. */
  readonly onRefused: (error: RdbError) => void;
}

/** Refusals of a heartbeat that a registration may set right. */
const reregister: ReadonlySet<ErrorCode> = new Set([
  "RDB_NOT_FOUND",
  "RDB_STORE_NOT_MATCH",
  "RDB_CLUSTER_MISMATCH",
  "RDB_DATA_FOREIGN",
  "RDB_STORE_DECOMMISSIONED",
]);

/** This Store is gone for good, whatever it was told before. */
const final: ReadonlySet<ErrorCode> = new Set([
  "RDB_DATA_FOREIGN",
  "RDB_STORE_DECOMMISSIONED",
  "RDB_STORE_LOST",
  "RDB_VERSION_TOO_OLD",
]);

/** A Store's side of its talk with PD. Works on its own: the Store serves whether or not PD answers. */
export class PdLink implements PdReporter {
  readonly #options: PdLinkOptions;
  readonly #stop = new AbortController();
  #regionHeartbeat: RegionHeartbeat | undefined;
  #storeHeartbeat: StoreHeartbeat | undefined;
  #starting: Promise<void> | undefined;
  #wasRegistered: boolean;
  /** Changes before the stream exists. */
  readonly #early = new Set<RegionId>();

  constructor(options: PdLinkOptions) {
    this.#options = options;
    this.#wasRegistered = options.isRegistered;
  }

  get isConnected(): boolean {
    return this.#regionHeartbeat?.isConnected ?? false;
  }

  /** Registers, if that was not done, and begins to report. Does not wait for any of it. */
  start(handle: PdLinkHandle): void {
    this.#starting ??= this.#begin(handle);
  }

  regionChanged(id: RegionId): void {
    if (this.#regionHeartbeat === undefined) {
      this.#early.add(id);
    } else {
      this.#regionHeartbeat.regionChanged(id);
    }
  }

  /** Before the first heartbeat nothing: that one tells. */
  diskChanged(): void {
    this.#storeHeartbeat?.beatNow();
  }

  findRegion(id: RegionId): Promise<Region | undefined> {
    return findRegion(this.#options.connection, id);
  }

  async regionOfKey(key: Uint8Array): Promise<Region> {
    const { region } = await lookUpRegion(this.#options.connection, { key, before: false });
    return region;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#storeHeartbeat?.stop();
    this.#options.connection.close();
    await this.#starting;
    await this.#regionHeartbeat?.stop();
  }

  async #begin(handle: PdLinkHandle): Promise<void> {
    if (!this.#wasRegistered) {
      await this.#register();
    }
    if (this.#stop.signal.aborted) {
      return;
    }
    const { config, ident, clock, logger, addressBook, clusterVersion } = this.#options;
    this.#storeHeartbeat = new StoreHeartbeat(
      {
        ...this.#options,
        intervalMs: config.storeHeartbeatIntervalMs,
        onRefused: (error) => this.#heartbeatRefused(error),
      },
      handle,
    );
    const commands = new PdCommands({
      ...{ ident, clock, logger, handle },
      reportAll: () => this.#storeHeartbeat?.reportAll(),
      storesChanged: (stores, version) => {
        addressBook.update(stores);
        clusterVersion.learn(version);
      },
      surveyed: (pages) => this.#regionHeartbeat?.surveyed(pages),
      recovered: (results) => this.#regionHeartbeat?.recovered(results),
      refuse: (refusal) => this.#regionHeartbeat?.refuse(refusal),
    });
    this.#regionHeartbeat = new RegionHeartbeat(
      {
        ...this.#options,
        keepaliveIntervalMs: config.keepaliveIntervalMs,
        onConnected: () => this.#storeHeartbeat?.reportAll(),
        onCommand: (response) => commands.obey(response),
        onEnded: async (error) => {
          this.#heartbeatRefused(error);
          if (reregister.has(error.code)) {
            await this.#register();
          }
        },
      },
      handle,
    );
    for (const id of this.#early) {
      this.#regionHeartbeat.regionChanged(id);
    }
    this.#early.clear();
    this.#storeHeartbeat.start();
    this.#regionHeartbeat.start();
  }

  /** That a Store was given up nothing sets right, and PD may not answer again: it is not asked twice. */
  #heartbeatRefused(error: RdbError): void {
    if (error.code === "RDB_STORE_LOST") {
      this.#options.onRefused(error);
    }
  }

  /** Never rejects. */
  async #register(): Promise<void> {
    const { registration, addressBook, logger, onRefused, clock, config } = this.#options;
    try {
      const { stores } = await registration.register(this.#stop.signal);
      addressBook.update(stores);
      this.#wasRegistered = true;
    } catch (error) {
      const refusal = RdbError.from(error);
      if (this.#stop.signal.aborted) {
        return;
      }
      if (!this.#wasRegistered || final.has(refusal.code)) {
        onRefused(refusal);
        return;
      }
      // A PD that knew this Store and forgot it: what is here goes on, and people have to look.
      logger.error({ reason: refusal.message }, "the placement driver refuses this Store");
      await pause(clock, config.keepaliveIntervalMs, this.#stop.signal);
    }
  }
}
