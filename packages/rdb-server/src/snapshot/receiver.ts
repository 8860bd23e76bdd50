import { create } from "@bufbuild/protobuf";
import { type Clock, type Logger, RdbError, type RegionId } from "@flaredb/rdb-base";
import {
  type OfferSnapshotRequest,
  type OfferSnapshotResponse,
  OfferSnapshotResponseSchema,
  type SnapshotRequest,
  type SnapshotResponse,
  SnapshotResponseSchema,
} from "@flaredb/rdb-proto";
import { type SnapshotChunk, SnapshotChunkReader, type StoreIdent } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import { type StoreMetrics, makeStoreMetrics } from "../metrics/store-metrics.ts";
import type { ReceivedSnapshot, SnapshotFiles } from "../store/ports.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { ByteRate } from "./byte-rate.ts";
import { type IncomingHeader, checkHeader, malformed } from "./incoming-header.ts";
import { KeptTransfers, type PartialSnapshot } from "./kept-transfers.ts";
import { CHUNK_MAX_BYTES } from "./snapshot-file.ts";
import { StallGuard } from "./stall-guard.ts";

export interface SnapshotReceiverOptions {
  readonly ident: StoreIdent;
  readonly handle: Pick<StoreHandle, "acceptsSnapshot" | "reserveSnapshot" | "snapshotReceived">;
  readonly files: SnapshotFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: StoreConfig["snapshot"];
  /** Default: nobody looks. */
  readonly metrics?: StoreMetrics | undefined;
}

/** A stream of a snapshot. */
interface Incoming {
  readonly header: IncomingHeader;
  readonly guard: StallGuard;
  /** Resolves when nothing of the stream goes on. */
  readonly ended: Promise<void>;
}

/**
 * Serves RaftService's snapshots: checks what comes in, keeps it durably, and hands it to the loop when it is whole.
 * What came of one whose stream broke is kept for `resumeTimeoutMs`. For each Region one comes in at a time.
 */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  readonly #incoming = new Map<RegionId, Incoming>();
  readonly #kept: KeptTransfers;
  readonly #metrics: StoreMetrics;
  readonly #rate: ByteRate;

  constructor(options: SnapshotReceiverOptions) {
    const { clock, config } = options;
    this.#options = options;
    this.#metrics = options.metrics ?? makeStoreMetrics();
    this.#kept = new KeptTransfers(clock, {
      maxCount: config.receiveMaxCount,
      maxAgeMs: config.resumeTimeoutMs,
    });
    this.#rate = new ByteRate(clock, config.maxBytesPerSecond);
  }

  /** Bandwidth of all transfers together, from now on; 0: no limit. */
  set maxBytesPerSecond(maxBytesPerSecond: number) {
    this.#rate.bytesPerSecond = maxBytesPerSecond;
  }

  /** Sets the gauges of what comes in. */
  fillGauges(): void {
    this.#metrics.snapshotsRunning.receiving.value = this.#incoming.size;
  }

  /** Whether a snapshot is welcome now, and from which chunk on. */
  async offer(request: OfferSnapshotRequest): Promise<OfferSnapshotResponse> {
    try {
      if (request.header === undefined) {
        throw malformed("a snapshot is offered with its header");
      }
      const header = checkHeader(request.header, this.#options.ident);
      await this.#makeWay(header);
      this.#admit(header);
      const nextChunk = this.#kept.nextChunk(header.snapshot.region.id, header.origin);
      return create(OfferSnapshotResponseSchema, { accepted: true, nextChunk });
    } catch (error) {
      return create(OfferSnapshotResponseSchema, refusalOf(error));
    }
  }

  /** Never rejects for what the sender does: a refusal says why. */
  async receive(requests: AsyncIterable<SnapshotRequest>): Promise<SnapshotResponse> {
    const { clock, config, logger } = this.#options;
    const guard = new StallGuard(clock, config.stallTimeoutMs);
    const parts = requests[Symbol.asyncIterator]();
    try {
      await this.#receive(parts, guard);
      this.#metrics.snapshots.received.value++;
      return create(SnapshotResponseSchema, { accepted: true });
    } catch (error) {
      const refusal = refusalOf(error);
      this.#metrics.snapshots.not_received.value++;
      logger.warn({ reason: refusal.reason }, "snapshot not received");
      return create(SnapshotResponseSchema, refusal);
    } finally {
      guard.stop();
      release(parts);
    }
  }

  /** Lets go of what is kept of broken transfers. */
  close(): Promise<void> {
    return this.#kept.close();
  }

  async #receive(parts: AsyncIterator<SnapshotRequest>, guard: StallGuard): Promise<void> {
    const first = await nextPart(parts, guard);
    if (first?.part.case !== "header") {
      throw malformed("a snapshot begins with its header");
    }
    const header = checkHeader(first.part.value, this.#options.ident);
    const { snapshot } = header;
    await this.#makeWay(header);
    // Nothing is awaited until it is noted, so that no two take the same place.
    this.#admit(header);
    const release = this.#options.handle.reserveSnapshot(snapshot.message, snapshot.region);
    if (typeof release === "string") {
      throw busy(release);
    }
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#incoming.set(snapshot.region.id, { header, guard, ended });
    try {
      await this.#keep(await this.#begin(header), parts, { guard, snapshot });
      const { message, snapshotId } = snapshot;
      const fields = {
        region: message.regionId,
        peer: message.toPeer.id,
        fromStore: message.fromPeer.storeId,
      };
      this.#options.logger.info({ ...fields, snapshotId }, "snapshot received");
      this.#options.handle.snapshotReceived(snapshot);
    } finally {
      this.#incoming.delete(snapshot.region.id);
      release();
      end();
    }
  }

  /**
   * A sender that offers a transfer again knows that its stream is broken, and a leader that sends another snapshot
   * does not want the first one any more, nor does a newer leader: what still seems to run ends here.
   *
   * @throws RdbError RDB_SERVER_IS_BUSY when the one that comes in is of a newer leader, or this one is here, whole
   */
  async #makeWay({ snapshot, origin }: IncomingHeader): Promise<void> {
    const incoming = this.#incoming.get(snapshot.region.id);
    if (incoming !== undefined) {
      const { header, guard, ended } = incoming;
      if (termOf(header) > termOf({ snapshot })) {
        throw busy(`a newer snapshot of Region ${snapshot.region.id} is coming in`);
      }
      guard.abort(header.origin === origin ? broken("it goes on with another stream") : replaced());
      await ended;
    }
    if (await this.#options.files.has(snapshot.snapshotId)) {
      throw busy(`snapshot ${snapshot.snapshotId} is here already`);
    }
  }

  /** @throws RdbError RDB_SERVER_IS_BUSY */
  #admit({ snapshot: { message, region } }: IncomingHeader): void {
    const { handle, config } = this.#options;
    if (this.#incoming.has(region.id)) {
      throw busy(`a snapshot of Region ${region.id} is coming in already`);
    }
    if (this.#incoming.size >= config.receiveMaxCount) {
      throw busy(`receiveMaxCount ${config.receiveMaxCount} snapshots are coming in`);
    }
    const verdict = handle.acceptsSnapshot(message, region);
    if (verdict !== true) {
      throw busy(verdict);
    }
  }

  /** @throws RdbError RDB_SERVER_IS_BUSY when it goes on with something that is not here */
  async #begin({
    snapshot: { snapshotId, region },
    origin,
    firstChunk,
  }: IncomingHeader): Promise<PartialSnapshot> {
    const kept = firstChunk === 0 ? undefined : await this.#kept.take(region.id, origin);
    if (kept !== undefined && kept.checker.nextIndex === firstChunk) {
      return kept;
    }
    await kept?.file.discard();
    await this.#kept.drop(region.id);
    if (firstChunk !== 0) {
      throw busy(`nothing is kept of snapshot ${snapshotId} that chunk ${firstChunk} goes on with`);
    }
    const checker = new SnapshotChunkReader(region);
    const file = await this.#options.files.receive(snapshotId, region);
    return { regionId: region.id, origin, checker, file };
  }

  async #keep(
    partial: PartialSnapshot,
    parts: AsyncIterator<SnapshotRequest>,
    {
      guard,
      snapshot: { message, region },
    }: { readonly guard: StallGuard; readonly snapshot: ReceivedSnapshot },
  ): Promise<void> {
    const { checker, file } = partial;
    try {
      while (!checker.isComplete) {
        // It may be longer than the disk, or nobody wants it any more.
        const verdict = this.#options.handle.acceptsSnapshot(message, region);
        if (verdict !== true) {
          throw busy(verdict);
        }
        const chunk = chunkOf(await nextPart(parts, guard), checker.nextIndex);
        checker.accept(chunk);
        await file.append(chunk);
        this.#metrics.snapshotBytes.received.value += chunk.data.length;
        await this.#rate.take(chunk.data.length);
        guard.progressed();
      }
    } catch (error) {
      if (isBroken(error) && checker.nextIndex > 0) {
        await this.#kept.keep(partial);
      } else {
        await file.discard();
      }
      throw error;
    }
    await file.complete();
  }
}

/** @throws RdbError RDB_UNAVAILABLE when the stream broke or stands still: only then it may go on later */
async function nextPart(
  parts: AsyncIterator<SnapshotRequest>,
  guard: StallGuard,
): Promise<SnapshotRequest | undefined> {
  const next = guard.orStalled(parts.next()).catch((error: unknown) => {
    throw guard.signal.aborted ? RdbError.from(error) : broken(RdbError.from(error).message);
  });
  const { done, value } = await next;
  return done === true ? undefined : value;
}

/** Tells the source that nothing more will be read. Not waited for: it may stand still. */
function release(parts: AsyncIterator<SnapshotRequest>): void {
  parts.return?.().catch(() => {
    // It failed, or was aborted, by itself: that was told already.
  });
}

function chunkOf(request: SnapshotRequest | undefined, expectedIndex: number): SnapshotChunk {
  if (request?.part.case !== "chunk") {
    throw malformed(`the snapshot ended before chunk ${expectedIndex}, which is not its last`);
  }
  const { index, data, crc32, last } = request.part.value;
  if (data.length > CHUNK_MAX_BYTES) {
    throw malformed(`chunk ${index} has ${data.length} bytes, the most is ${CHUNK_MAX_BYTES}`);
  }
  return { index, data, crc32, last };
}

function termOf({ snapshot: { message } }: Pick<IncomingHeader, "snapshot">): number {
  return message.payload.kind === "raft" ? message.payload.message.term : 0;
}

function refusalOf(error: unknown): { accepted: false; reason: string; isBusy: boolean } {
  const { code, message } = RdbError.from(error);
  return { accepted: false, reason: message, isBusy: code === "RDB_SERVER_IS_BUSY" || isBroken(error) };
}

function isBroken(error: unknown): boolean {
  return error instanceof RdbError && error.code === "RDB_UNAVAILABLE";
}

function broken(why: string): RdbError {
  return new RdbError("RDB_UNAVAILABLE", `the stream of the snapshot broke: ${why}`);
}

function replaced(): RdbError {
  return new RdbError("RDB_CLOSED", "another snapshot of the Region comes instead");
}

function busy(why: string): RdbError {
  return new RdbError("RDB_SERVER_IS_BUSY", why);
}
