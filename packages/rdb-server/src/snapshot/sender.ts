import { create } from "@bufbuild/protobuf";
import { type Clock, type Logger, RdbError, type StoreId, type Timer } from "@flaredb/rdb-base";
import { TransferOriginSchema } from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { Wire } from "@flaredb/rdb-wire";
import type { StoreConfig } from "../config.ts";
import type { OutgoingSnapshot } from "../store/ports.ts";
import { type StoreMetrics, makeStoreMetrics } from "../metrics/store-metrics.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { ByteRate } from "./byte-rate.ts";
import { OutgoingTransfer } from "./outgoing-transfer.ts";
import { StallGuard } from "./stall-guard.ts";
import { type StreamEnd, streamTransfer } from "./stream-transfer.ts";

export interface SnapshotSenderOptions {
  readonly ident: StoreIdent;
  /** Drawn by this start of the process; a safe integer. */
  readonly bootId: number;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: StoreConfig["snapshot"];
  /** The local address to call from. */
  readonly localAddress: string | undefined;
  readonly addressOf: (storeId: StoreId) => string | undefined;
  /** Default: nobody looks. */
  readonly metrics?: StoreMetrics | undefined;
}

/** Pause before a transfer is tried again that broke or was not welcome. */
const RETRY_MS = 500;
/**
 * So long a transfer waits of which nothing was sent. It costs little to make anew, and what it shows may be outdated:
 * when the Region was split meanwhile, the part that went lies at the receiver already, and the overlap never ends.
 */
const NOT_BEGUN_WAIT_MS = 5_000;

/**
 * Streams snapshots to other Stores, each on a connection of its own, a few at a time. One whose stream breaks, or that
 * the other Store has no place for, waits for its next try with its cursors open, for `resumeTimeoutMs` at most; one of
 * which nothing was sent for a moment only, then Raft makes it anew.
 * Whatever happens, the loop hears once how each ended, and its cursors are closed. Only of one that another to the same
 * peer follows it hears nothing: what counts is how that one ends.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #metrics: StoreMetrics;
  readonly #rate: ByteRate;
  #waiting: OutgoingTransfer[] = [];
  readonly #running = new Map<OutgoingTransfer, StallGuard>();
  /** Those that will be tried again, with the timers that do it. */
  readonly #paused = new Map<OutgoingTransfer, Timer>();
  #handle: Pick<StoreHandle, "snapshotStatus"> | undefined;
  #transferCount = 0;
  #isClosed = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? makeStoreMetrics();
    this.#rate = new ByteRate(options.clock, options.config.maxBytesPerSecond);
  }

  /** Bandwidth of all transfers together, from now on; 0: no limit. */
  set maxBytesPerSecond(maxBytesPerSecond: number) {
    this.#rate.bytesPerSecond = maxBytesPerSecond;
  }

  /** Sets the gauges of what is on its way. */
  fillGauges(): void {
    this.#metrics.snapshotsRunning.sending.value = this.#running.size;
    this.#metrics.snapshotsRunning.waiting.value = this.#waiting.length + this.#paused.size;
  }

  /** Says who hears how transfers end. Before the first `send`. */
  start(handle: Pick<StoreHandle, "snapshotStatus">): void {
    this.#handle = handle;
  }

  /** Takes the snapshot over. Never throws, and calls back later only. */
  send(outgoing: OutgoingSnapshot): void {
    const { clock, config } = this.#options;
    const transfer = new OutgoingTransfer(outgoing, {
      number: ++this.#transferCount,
      startedMs: clock.monotonicMs(),
      chunkMaxBytes: config.chunkMaxBytes,
    });
    this.#supersede(outgoing);
    const waitingCount = this.#waiting.length + this.#paused.size;
    if (this.#isClosed || waitingCount >= config.sendQueueMaxCount + this.#freePlaces()) {
      const reason = this.#isClosed
        ? "the Store is stopping"
        : `sendQueueMaxCount ${config.sendQueueMaxCount} snapshots wait`;
      this.#end(transfer, new RdbError("RDB_SERVER_IS_BUSY", reason));
      return;
    }
    this.#waiting.push(transfer);
    this.#startNext();
  }

  /** Gives up what is under way and what waits. */
  close(): void {
    this.#isClosed = true;
    const closed = new RdbError("RDB_CLOSED", "the Store is stopping");
    for (const guard of this.#running.values()) {
      guard.abort(closed);
    }
    for (const timer of this.#paused.values()) {
      timer.cancel();
    }
    for (const transfer of [...this.#waiting.splice(0), ...this.#paused.keys()]) {
      this.#end(transfer, closed);
    }
    this.#paused.clear();
  }

  /**
   * A leader that sends a peer another snapshot, because it led anew or the peer fell behind again, waits for that one. The
   * end of the one before would be taken for its end: Raft would send a third, which would end the second, without end.
   */
  #supersede({ message: { regionId, toPeer } }: OutgoingSnapshot): void {
    const isFormer = ({ outgoing: { message } }: OutgoingTransfer): boolean =>
      message.regionId === regionId && message.toPeer.id === toPeer.id;
    const error = new RdbError("RDB_CLOSED", `peer ${toPeer.id} is sent another one`);
    for (const former of [...this.#waiting, ...this.#paused.keys()].filter(isFormer)) {
      former.isSuperseded = true;
      this.#paused.get(former)?.cancel();
      this.#paused.delete(former);
      this.#end(former, error);
    }
    this.#waiting = this.#waiting.filter((transfer) => !isFormer(transfer));
    for (const [former, guard] of this.#running) {
      if (isFormer(former)) {
        former.isSuperseded = true;
        guard.abort(error);
      }
    }
  }

  #freePlaces(): number {
    return this.#options.config.sendMaxCount - this.#running.size;
  }

  #startNext(): void {
    while (this.#freePlaces() > 0) {
      const transfer = this.#waiting.shift();
      if (transfer === undefined) {
        return;
      }
      const guard = new StallGuard(this.#options.clock, this.#options.config.stallTimeoutMs);
      this.#running.set(transfer, guard);
      void this.#stream(transfer, guard).then((end) => {
        guard.stop();
        this.#running.delete(transfer);
        this.#ended(transfer, end);
        this.#startNext();
      });
    }
  }

  #stream(transfer: OutgoingTransfer, guard: StallGuard): Promise<StreamEnd> {
    const { ident, bootId, wire, localAddress, addressOf } = this.#options;
    const origin = create(TransferOriginSchema, {
      storeId: BigInt(ident.storeId),
      bootId: BigInt(bootId),
      number: BigInt(transfer.number),
    });
    return streamTransfer(transfer, {
      ...{ wire, localAddress, ident, origin, guard },
      address: addressOf(transfer.outgoing.message.toPeer.storeId),
      rate: this.#rate,
      sent: (bytes) => {
        this.#metrics.snapshotBytes.sent.value += bytes;
      },
    });
  }

  #ended(transfer: OutgoingTransfer, end: StreamEnd): void {
    if (end.kind === "later" && this.#mayWait(transfer)) {
      const { clock, config, logger } = this.#options;
      const reason = end.error.message;
      logger.info({ ...fieldsOf(transfer.outgoing), reason }, "snapshot waits to be sent on");
      const again = (): void => {
        this.#paused.delete(transfer);
        this.#waiting.push(transfer);
        this.#startNext();
      };
      const delayMs = Math.min(RETRY_MS, config.resumeTimeoutMs);
      this.#paused.set(transfer, clock.setTimer(delayMs, again));
      return;
    }
    this.#end(transfer, end.kind === "sent" ? undefined : end.error);
  }

  /** What is open for long, or takes memory, is bounded. */
  #mayWait(transfer: OutgoingTransfer): boolean {
    const { clock, config } = this.#options;
    const nowMs = clock.monotonicMs();
    const begunCount = [...this.#paused.keys()].filter((paused) => paused.hasBegun).length;
    const { resumeTimeoutMs } = config;
    const waitMs = transfer.hasBegun ? resumeTimeoutMs : Math.min(NOT_BEGUN_WAIT_MS, resumeTimeoutMs);
    return (
      !this.#isClosed &&
      !transfer.isSuperseded &&
      nowMs - transfer.stuck(nowMs) < waitMs &&
      this.#paused.size + this.#waiting.length < config.sendQueueMaxCount + config.sendMaxCount &&
      (!transfer.hasBegun || begunCount < config.sendMaxCount)
    );
  }

  #end(transfer: OutgoingTransfer, error: RdbError | undefined): void {
    const { clock, logger } = this.#options;
    const { outgoing, sizeBytes } = transfer;
    this.#metrics.snapshots[error === undefined ? "sent" : "not_sent"].value++;
    transfer.close();
    if (error === undefined) {
      const ms = Math.round(clock.monotonicMs() - transfer.startedMs);
      logger.info({ ...fieldsOf(outgoing), bytes: sizeBytes, ms }, "snapshot sent");
    } else {
      logger.warn({ ...fieldsOf(outgoing), reason: error.message }, "snapshot not sent");
    }
    if (transfer.isSuperseded) {
      return;
    }
    const { regionId, toPeer } = outgoing.message;
    const status = { regionId, toPeerId: toPeer.id, ok: error === undefined };
    // Later: `send` is called within a turn of the loop.
    clock.setImmediate(() => this.#handle?.snapshotStatus(status));
  }
}

function fieldsOf({ message, snapshotId, applyState }: OutgoingSnapshot): Record<string, unknown> {
  return {
    region: message.regionId,
    peer: message.fromPeer.id,
    toPeer: message.toPeer.id,
    toStore: message.toPeer.storeId,
    index: applyState.index,
    snapshotId,
  };
}
