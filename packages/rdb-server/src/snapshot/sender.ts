import { create, fromBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { type Clock, type Logger, RdbError, type StoreId } from "@flaredb/rdb-base";
import {
  RaftMessageSchema,
  RaftService,
  type SnapshotRequest,
  SnapshotRequestSchema,
  regionToProto,
} from "@flaredb/rdb-proto";
import { SnapshotChunkWriter, type StoreIdent } from "@flaredb/rdb-storage";
import { type Wire, fromConnectError } from "@flaredb/rdb-wire";
import type { StoreConfig } from "../config.ts";
import type { OutgoingSnapshot } from "../store/ports.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { encodePeerMessage } from "../transport/raft-encoder.ts";
import { StallGuard } from "./stall-guard.ts";

export interface SnapshotSenderOptions {
  readonly ident: StoreIdent;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: StoreConfig["snapshot"];
  /** The local address to call from. */
  readonly localAddress: string | undefined;
  readonly addressOf: (storeId: StoreId) => string | undefined;
}

/**
 * Streams snapshots to other Stores, each on a connection of its own, a few at a time. Whatever happens, the loop
 * hears once how each ended, and its cursors are closed.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #waiting: OutgoingSnapshot[] = [];
  readonly #running = new Set<StallGuard>();
  #handle: Pick<StoreHandle, "snapshotStatus"> | undefined;
  #isClosed = false;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Says who hears how transfers end. Before the first `send`. */
  start(handle: Pick<StoreHandle, "snapshotStatus">): void {
    this.#handle = handle;
  }

  /** Takes the snapshot over. Never throws, and calls back later only. */
  send(outgoing: OutgoingSnapshot): void {
    const { config } = this.#options;
    if (this.#isClosed || this.#waiting.length >= config.sendQueueMaxCount + this.#freePlaces()) {
      const error = new RdbError(
        "RDB_SERVER_IS_BUSY",
        this.#isClosed
          ? "the Store is stopping"
          : `sendQueueMaxCount ${config.sendQueueMaxCount} snapshots wait`,
      );
      this.#end(outgoing, error);
      return;
    }
    this.#waiting.push(outgoing);
    this.#startNext();
  }

  /** Gives up what is under way and what waits. */
  close(): void {
    this.#isClosed = true;
    const closed = new RdbError("RDB_CLOSED", "the Store is stopping");
    for (const guard of this.#running) {
      guard.abort(closed);
    }
    for (const outgoing of this.#waiting.splice(0)) {
      this.#end(outgoing, closed);
    }
  }

  #freePlaces(): number {
    return this.#options.config.sendMaxCount - this.#running.size;
  }

  #startNext(): void {
    while (this.#freePlaces() > 0) {
      const outgoing = this.#waiting.shift();
      if (outgoing === undefined) {
        return;
      }
      const guard = new StallGuard(this.#options.clock, this.#options.config.stallTimeoutMs);
      this.#running.add(guard);
      void this.#transfer(outgoing, guard).then((error) => {
        guard.stop();
        this.#running.delete(guard);
        this.#end(outgoing, error);
        this.#startNext();
      });
    }
  }

  /** @returns why it failed; undefined when the other Store has it. Never rejects. */
  async #transfer(outgoing: OutgoingSnapshot, guard: StallGuard): Promise<RdbError | undefined> {
    const { addressOf, localAddress, config, wire, clock, logger } = this.#options;
    const { storeId } = outgoing.message.toPeer;
    const address = addressOf(storeId);
    if (address === undefined) {
      return new RdbError("RDB_UNAVAILABLE", `the address of Store ${storeId} is not known`);
    }
    const startedMs = clock.monotonicMs();
    const writer = new SnapshotChunkWriter(outgoing.cursors, config.chunkMaxBytes);
    const connection = wire.unary(address, localAddress === undefined ? {} : { localAddress });
    try {
      const response = await createClient(RaftService, connection.transport).snapshot(
        this.#requests(outgoing, writer, guard),
        { signal: guard.signal },
      );
      if (!response.accepted) {
        return new RdbError("RDB_UNAVAILABLE", `Store ${storeId} refused it: ${response.reason}`);
      }
      const ms = Math.round(clock.monotonicMs() - startedMs);
      logger.info({ ...fieldsOf(outgoing), bytes: writer.sizeBytes, ms }, "snapshot sent");
      return undefined;
    } catch (error) {
      return guard.signal.aborted ? RdbError.from(guard.signal.reason) : fromConnectError(error);
    } finally {
      connection.close();
    }
  }

  async *#requests(
    outgoing: OutgoingSnapshot,
    writer: SnapshotChunkWriter,
    guard: StallGuard,
  ): AsyncGenerator<SnapshotRequest, void, undefined> {
    const { ident } = this.#options;
    const { message, region, snapshotId } = outgoing;
    yield create(SnapshotRequestSchema, {
      part: {
        case: "header",
        value: {
          clusterId: BigInt(ident.clusterId),
          fromStoreId: BigInt(ident.storeId),
          toStoreId: BigInt(message.toPeer.storeId),
          message: fromBinary(RaftMessageSchema, encodePeerMessage(message)),
          region: regionToProto(region),
          transferId: snapshotId,
        },
      },
    });
    for (let chunk = await writer.next(); chunk !== undefined; chunk = await writer.next()) {
      guard.progressed();
      yield create(SnapshotRequestSchema, { part: { case: "chunk", value: chunk } });
    }
    guard.progressed();
  }

  #end(outgoing: OutgoingSnapshot, error: RdbError | undefined): void {
    outgoing.cursors.data.close();
    outgoing.cursors.session.close();
    if (error !== undefined) {
      this.#options.logger.warn({ ...fieldsOf(outgoing), reason: error.message }, "snapshot not sent");
    }
    const { regionId, toPeer } = outgoing.message;
    const status = { regionId, toPeerId: toPeer.id, ok: error === undefined };
    // Later: `send` is called within a turn of the loop.
    this.#options.clock.setImmediate(() => this.#handle?.snapshotStatus(status));
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
