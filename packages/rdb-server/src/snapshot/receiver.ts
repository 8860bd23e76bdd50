import { create } from "@bufbuild/protobuf";
import { type Clock, type Logger, RdbError, type Region, epochsEqual } from "@flaredb/rdb-base";
import {
  type SnapshotHeader,
  type SnapshotRequest,
  type SnapshotResponse,
  SnapshotResponseSchema,
  regionFromProto,
} from "@flaredb/rdb-proto";
import { type SnapshotChunk, SnapshotChunkReader, type StoreIdent } from "@flaredb/rdb-storage";
import type { StoreConfig } from "../config.ts";
import { decodeSnapshotDescription } from "../peer/snapshot-description.ts";
import type { PeerMessage } from "../store/peer-message.ts";
import type { ReceivedSnapshot, SnapshotFiles } from "../store/ports.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { decodePeerMessage } from "../transport/raft-codec.ts";
import { CHUNK_MAX_BYTES, isSnapshotId } from "./snapshot-file.ts";
import { StallGuard } from "./stall-guard.ts";

export interface SnapshotReceiverOptions {
  readonly ident: StoreIdent;
  readonly handle: Pick<StoreHandle, "acceptsSnapshot" | "snapshotReceived">;
  readonly files: SnapshotFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: StoreConfig["snapshot"];
}

/** Serves RaftService.Snapshot: checks what comes in, keeps it durably, and hands it to the loop when it is whole. */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  /** Ids that are coming in. */
  readonly #receiving = new Set<string>();

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Never rejects for what the sender does: a refusal says why. */
  async receive(requests: AsyncIterable<SnapshotRequest>): Promise<SnapshotResponse> {
    const { clock, config, logger } = this.#options;
    const guard = new StallGuard(clock, config.stallTimeoutMs);
    const parts = requests[Symbol.asyncIterator]();
    try {
      await this.#receive(parts, guard);
      return create(SnapshotResponseSchema, { accepted: true });
    } catch (error) {
      const { message: reason } = RdbError.from(error);
      logger.warn({ reason }, "snapshot not received");
      return create(SnapshotResponseSchema, { accepted: false, reason });
    } finally {
      guard.stop();
      release(parts);
    }
  }

  async #receive(parts: AsyncIterator<SnapshotRequest>, guard: StallGuard): Promise<void> {
    const snapshot = this.#checkHeader(await nextPart(parts, guard));
    const { snapshotId, message } = snapshot;
    this.#reserve(snapshotId);
    try {
      await this.#admit(snapshot);
      await this.#keep(snapshot, parts, guard);
    } finally {
      this.#receiving.delete(snapshotId);
    }
    const fields = { region: message.regionId, peer: message.toPeer.id, fromStore: message.fromPeer.storeId };
    this.#options.logger.info({ ...fields, snapshotId }, "snapshot received");
    this.#options.handle.snapshotReceived(snapshot);
  }

  /** @throws RdbError RDB_INVALID_ARGUMENT, RDB_CLUSTER_MISMATCH or RDB_STORE_NOT_MATCH */
  #checkHeader(request: SnapshotRequest | undefined): ReceivedSnapshot {
    const { ident } = this.#options;
    if (request?.part.case !== "header") {
      throw malformed("a snapshot begins with its header");
    }
    const header = request.part.value;
    if (header.clusterId !== BigInt(ident.clusterId)) {
      const mismatch = `the snapshot is of cluster ${header.clusterId}, this Store of ${ident.clusterId}`;
      throw new RdbError("RDB_CLUSTER_MISMATCH", mismatch);
    }
    const message = messageOf(header);
    if (
      header.toStoreId !== BigInt(ident.storeId) ||
      message.toPeer.storeId !== ident.storeId ||
      header.fromStoreId !== BigInt(message.fromPeer.storeId)
    ) {
      const meant = `Store ${header.toStoreId}, this is Store ${ident.storeId}`;
      throw new RdbError("RDB_STORE_NOT_MATCH", `the snapshot is for ${meant}`);
    }
    return { message, ...describedBy(message, header) };
  }

  /** @throws RdbError RDB_SERVER_IS_BUSY */
  #reserve(snapshotId: string): void {
    const { receiveMaxCount } = this.#options.config;
    if (this.#receiving.size >= receiveMaxCount) {
      throw busy(`receiveMaxCount ${receiveMaxCount} snapshots are coming in`);
    }
    if (this.#receiving.has(snapshotId)) {
      throw busy(`snapshot ${snapshotId} is coming in already`);
    }
    this.#receiving.add(snapshotId);
  }

  /** @throws RdbError RDB_SERVER_IS_BUSY */
  async #admit({ snapshotId, message, region }: ReceivedSnapshot): Promise<void> {
    const { handle, files } = this.#options;
    if (await files.has(snapshotId)) {
      throw busy(`snapshot ${snapshotId} is here already`);
    }
    const verdict = handle.acceptsSnapshot(message, region);
    if (verdict !== true) {
      throw busy(verdict);
    }
  }

  async #keep(
    { snapshotId, region }: ReceivedSnapshot,
    parts: AsyncIterator<SnapshotRequest>,
    guard: StallGuard,
  ): Promise<void> {
    const checker = new SnapshotChunkReader(region);
    const file = await this.#options.files.receive(snapshotId, region);
    try {
      while (!checker.isComplete) {
        const chunk = chunkOf(await nextPart(parts, guard), checker.nextIndex);
        checker.accept(chunk);
        await file.append(chunk);
        guard.progressed();
      }
    } catch (error) {
      await file.discard();
      throw error;
    }
    await file.complete();
  }
}

async function nextPart(
  parts: AsyncIterator<SnapshotRequest>,
  guard: StallGuard,
): Promise<SnapshotRequest | undefined> {
  const next = await guard.orStalled(parts.next());
  return next.done === true ? undefined : next.value;
}

/** Tells the source that nothing more will be read. Not waited for: it may stand still. */
function release(parts: AsyncIterator<SnapshotRequest>): void {
  parts.return?.().catch(() => {
    // It failed, or was aborted, by itself: that was told already.
  });
}

function messageOf(header: SnapshotHeader): PeerMessage {
  if (header.message === undefined) {
    throw malformed("the snapshot's header is without its message");
  }
  const decoded = decodePeerMessage(header.message);
  if (!decoded.ok) {
    throw malformed(decoded.problem);
  }
  return decoded.message;
}

function describedBy(
  message: PeerMessage,
  header: SnapshotHeader,
): { readonly snapshotId: string; readonly region: Region } {
  const snapshot = message.payload.kind === "raft" ? message.payload.message.snapshot : undefined;
  if (snapshot === undefined || header.region === undefined) {
    throw malformed("the snapshot's header is without its MsgSnap or its Region");
  }
  const { snapshotId, region } = decodeSnapshotDescription(snapshot.data);
  const streamed = regionFromProto(header.region);
  if (
    region.id !== message.regionId ||
    streamed.id !== region.id ||
    !epochsEqual(streamed.epoch, region.epoch)
  ) {
    throw malformed(`the snapshot describes Region ${region.id}, its header Region ${streamed.id}`);
  }
  if (!isSnapshotId(snapshotId)) {
    throw malformed("the snapshot's id must be 1 to 100 letters, digits, - and _");
  }
  return { snapshotId, region };
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

function malformed(problem: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", problem);
}

function busy(why: string): RdbError {
  return new RdbError("RDB_SERVER_IS_BUSY", why);
}
