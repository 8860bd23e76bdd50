import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Clock,
  type Logger,
  RdbError,
  type StoreId,
  WindowedLog,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import { RaftServiceBatchResponseSchema } from "@flaredb/rdb-proto";
import type { StoreIdent } from "@flaredb/rdb-storage";
import type { InboundStream, ServerStreamHandlers, StreamCodec, WireServer } from "@flaredb/rdb-wire";
import type { PeerMessage, Refusal, RefusalReason } from "../store/peer-message.ts";
import type { StoreHandle } from "../store/store-handle.ts";
import { OnceLog } from "../transport/once-log.ts";
import { encodeRefusal } from "../transport/raft-codec.ts";
import { type RaftBatch, decodeRaftBatch } from "../transport/raft-decoder.ts";
import { RAFT_BATCH_PATH } from "../transport/raft-service-path.ts";
import { refuseWhileStarting } from "./starting.ts";

export interface RaftServiceOptions {
  readonly ident: StoreIdent;
  readonly handle: Pick<StoreHandle, "receive">;
  /** Hears of everything that arrives. */
  readonly liveness: { heard(storeId: StoreId, bootId: bigint): void };
  readonly logger: Logger;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/** A refusal takes about this much on the wire. */
const REFUSAL_BYTES = 32;
/** Refusals are only information: what a slow reader leaves waiting is dropped past this. */
const REFUSAL_QUEUE_MAX_COUNT = 10_000;

const codec: StreamCodec<Refusal, RaftBatch> = {
  encode: (refusals) =>
    toBinary(
      RaftServiceBatchResponseSchema,
      create(RaftServiceBatchResponseSchema, { refusals: refusals.map(encodeRefusal) }),
    ),
  sizeOf: () => REFUSAL_BYTES,
  decode: decodeRaftBatch,
  limits: { queueMaxCount: REFUSAL_QUEUE_MAX_COUNT },
};

type RaftStream = InboundStream<Refusal>;

/**
 * Serves RaftService.Batch: what other Stores' peers say to ours.
 *
 * @param ready asked for each stream; undefined while the Store is starting, which is what the stream is told
 */
export function serveRaft(server: WireServer, ready: () => RaftServiceOptions | undefined): void {
  let receiver: BatchReceiver | undefined;
  server.handleStream<Refusal, RaftBatch>(RAFT_BATCH_PATH, codec, (stream) => {
    const options = ready();
    if (options === undefined) {
      return refuseWhileStarting(stream);
    }
    receiver ??= new BatchReceiver(options);
    return handlersOf(stream, receiver, options.logger);
  });
}

function handlersOf(
  stream: RaftStream,
  receiver: BatchReceiver,
  logger: Logger,
): ServerStreamHandlers<RaftBatch> {
  return {
    onMessage: (batch) => receiver.receive(stream, batch),
    onEnd: () => stream.close(),
    onClosed: (error) => {
      if (error !== undefined) {
        logger.debug({ from: stream.peerAddress, reason: error.message }, "stream of a Store ended");
      }
    },
  };
}

class BatchReceiver {
  readonly #options: RaftServiceOptions;
  readonly #logged = new OnceLog();
  readonly #foreign: WindowedLog;

  constructor(options: RaftServiceOptions) {
    this.#options = options;
    this.#foreign = new WindowedLog(options.clock, options.logger);
  }

  receive(stream: RaftStream, batch: RaftBatch): void {
    const { ident, handle, liveness } = this.#options;
    const wrongAddress = this.#addressProblem(batch);
    if (wrongAddress !== undefined) {
      this.#refuse(stream, [{ regionId: regionId(0), toPeerId: 0, reason: wrongAddress }], batch);
      return;
    }
    let fromStoreId: StoreId;
    try {
      fromStoreId = storeId(batch.fromStoreId);
    } catch (error) {
      stream.close(RdbError.from(error, "RDB_INVALID_ARGUMENT"));
      return;
    }
    liveness.heard(fromStoreId, batch.bootId);
    const messages: PeerMessage[] = [];
    const refusals: Refusal[] = [];
    for (const decoded of batch.messages) {
      if (!decoded.ok) {
        this.#logMalformed(fromStoreId, decoded.refusal, decoded.problem);
        refusals.push(decoded.refusal);
      } else if (
        decoded.message.toPeer.storeId !== ident.storeId ||
        decoded.message.fromPeer.storeId !== fromStoreId
      ) {
        refusals.push(refusalOf(decoded.message, "StoreNotMatch"));
      } else {
        messages.push(decoded.message);
      }
    }
    this.#refuse(stream, refusals, batch);
    if (messages.length > 0) {
      handle.receive(messages, (refused) => this.#refuse(stream, refused, batch));
    }
  }

  #addressProblem(batch: RaftBatch): RefusalReason | undefined {
    const { ident } = this.#options;
    if (batch.clusterId !== BigInt(ident.clusterId)) {
      return "ClusterMismatch";
    }
    return batch.toStoreId === BigInt(ident.storeId) && batch.fromStoreId !== batch.toStoreId
      ? undefined
      : "StoreNotMatch";
  }

  #refuse(stream: RaftStream, refusals: readonly Refusal[], batch: RaftBatch): void {
    for (const refusal of refusals) {
      const { regionId: region, toPeerId: peer, reason } = refusal;
      const from = `Store ${batch.fromStoreId} of cluster ${batch.clusterId}`;
      const fields = { from, region, peer, reason };
      if (reason === "ClusterMismatch" || reason === "StoreNotMatch") {
        // Whoever it is may say any ids, as often as he likes.
        this.#foreign.warn(`${batch.fromStoreId} ${batch.clusterId} ${reason}`, fields, "message refused");
      } else if (this.#logged.isNew(`${batch.fromStoreId} ${region} ${reason}`)) {
        this.#options.logger.info(fields, "message refused");
      }
      // False when the stream is gone or its reader is slow: the sender then goes without the news.
      stream.push(refusal);
    }
  }

  #logMalformed(fromStoreId: StoreId, refusal: Refusal, problem: string): void {
    if (this.#logged.isNew(`${fromStoreId} ${refusal.regionId} ${problem}`)) {
      const fields = { store: fromStoreId, region: refusal.regionId, problem };
      this.#options.logger.error(fields, "malformed message dropped");
    }
  }
}

function refusalOf(message: PeerMessage, reason: RefusalReason): Refusal {
  return { regionId: message.regionId, toPeerId: message.toPeer.id, reason };
}
