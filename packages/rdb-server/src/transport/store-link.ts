import { fromBinary } from "@bufbuild/protobuf";
import { type Clock, type Random, type RdbError, type StoreId, assert } from "@flaredb/rdb-base";
import { type RaftServiceBatchResponse, RaftServiceBatchResponseSchema } from "@flaredb/rdb-proto";
import {
  type RpcConnectionOptions,
  ReconnectingStream,
  type StreamCodec,
  type Wire,
} from "@flaredb/rdb-wire";
import type { PeerMessage, Refusal } from "../store/peer-message.ts";
import { decodeRefusal } from "./raft-codec.ts";
import { type BatchHeader, encodeRaftBatch, peerMessageMaxBytes } from "./raft-encoder.ts";
import { RAFT_BATCH_PATH } from "./raft-service-path.ts";
import { type UrgentItem, UrgentSlots, isUrgent } from "./urgent-slots.ts";

export type Lane = "bulk" | "urgent";

export interface StoreLinkOptions {
  readonly address: string;
  readonly header: BatchHeader;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly random: Random;
  /** The local address to call from. */
  readonly localAddress: string | undefined;
  readonly keepalive?: RpcConnectionOptions["keepalive"];
  readonly bulkQueueMaxBytes: number;
  readonly urgentQueueMaxBytes: number;
  /** The lane's stream is lost: what was in flight may be lost too. */
  readonly onDown: (lane: Lane, error: RdbError) => void;
  readonly onUp: (lane: Lane) => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** So many messages leave together. */
  readonly batchSent: (count: number) => void;
}

/** What shows the other Store that this one lives when there is nothing to say. */
const SIGN_OF_LIFE = "sign of life";
const SIGN_OF_LIFE_BYTES = 40;

type Urgent = UrgentItem | typeof SIGN_OF_LIFE;

/**
 * The way to one other Store: a stream for appends, and one on a connection of its own for what must not stand
 * behind them (streams of one HTTP/2 connection share its window).
 */
export class StoreLink {
  readonly storeId: StoreId;
  readonly address: string;
  readonly #clock: Clock;
  readonly #bulk: ReconnectingStream<PeerMessage, RaftServiceBatchResponse>;
  readonly #urgent: ReconnectingStream<Urgent, RaftServiceBatchResponse>;
  readonly #slots = new UrgentSlots();
  #urgentSentMs = Number.NEGATIVE_INFINITY;

  constructor(options: StoreLinkOptions) {
    this.storeId = options.header.toStoreId;
    this.address = options.address;
    this.#clock = options.clock;
    this.#bulk = openLane("bulk", bulkCodec(options), options);
    this.#urgent = openLane("urgent", urgentCodec(options, this.#slots), {
      ...options,
      onDown: (lane, error) => {
        this.#slots.clear();
        options.onDown(lane, error);
      },
    });
  }

  /** @returns false when it was dropped: no connection, or too much waits already */
  send(message: PeerMessage): boolean {
    assert(
      message.payload.kind !== "raft" || message.payload.message.type !== "MsgSnap",
      "snapshots are sent with sendSnapshot",
    );
    return isUrgent(message) ? this.#sendUrgent(message) : this.#bulk.push(message);
  }

  /** Sends a sign of life if nothing urgent was sent for `quietMs`. */
  showLife(quietMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#urgentSentMs >= quietMs && this.#urgent.push(SIGN_OF_LIFE)) {
      this.#urgentSentMs = nowMs;
    }
  }

  close(): void {
    this.#bulk.close();
    this.#urgent.close();
  }

  #sendUrgent(message: PeerMessage): boolean {
    if (!this.#urgent.isUp) {
      return false;
    }
    const item = this.#slots.offer(message);
    if (item === undefined) {
      return true;
    }
    if (!this.#urgent.push(item)) {
      this.#slots.release(item);
      return false;
    }
    this.#urgentSentMs = this.#clock.monotonicMs();
    return true;
  }
}

function openLane<Out>(
  lane: Lane,
  codec: StreamCodec<Out, RaftServiceBatchResponse>,
  options: StoreLinkOptions,
): ReconnectingStream<Out, RaftServiceBatchResponse> {
  const { address, wire, clock, random, localAddress, keepalive } = options;
  return new ReconnectingStream(codec, {
    wire,
    path: RAFT_BATCH_PATH,
    clock,
    random,
    connection: {
      address,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(keepalive === undefined ? {} : { keepalive }),
    },
    onUp: () => options.onUp(lane),
    onDown: (error) => options.onDown(lane, error),
    onMessage: (response) => {
      for (const wire of response.refusals) {
        const refusal = decodeRefusal(wire);
        if (refusal !== undefined) {
          options.onRefused(refusal);
        }
      }
    },
  });
}

const decodeResponse = (bytes: Uint8Array): RaftServiceBatchResponse =>
  fromBinary(RaftServiceBatchResponseSchema, bytes);

function bulkCodec(options: StoreLinkOptions): StreamCodec<PeerMessage, RaftServiceBatchResponse> {
  return {
    encode: (messages) => {
      options.batchSent(messages.length);
      return encodeRaftBatch(options.header, messages);
    },
    hasFrameRoom: true,
    sizeOf: peerMessageMaxBytes,
    decode: decodeResponse,
    limits: { queueMaxBytes: options.bulkQueueMaxBytes },
  };
}

function urgentCodec(
  options: StoreLinkOptions,
  slots: UrgentSlots,
): StreamCodec<Urgent, RaftServiceBatchResponse> {
  return {
    encode: (items) => {
      const messages: PeerMessage[] = [];
      for (const item of items) {
        if (item !== SIGN_OF_LIFE) {
          slots.release(item);
          messages.push(item.message);
        }
      }
      if (messages.length > 0) {
        options.batchSent(messages.length);
      }
      return encodeRaftBatch(options.header, messages);
    },
    hasFrameRoom: true,
    sizeOf: (item) => (item === SIGN_OF_LIFE ? SIGN_OF_LIFE_BYTES : peerMessageMaxBytes(item.message)),
    decode: decodeResponse,
    limits: { queueMaxBytes: options.urgentQueueMaxBytes },
  };
}
