import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Clock,
  type Logger,
  type PeerId,
  type Random,
  RdbError,
  peerId,
  safeInteger,
  saidClusterVersion,
} from "@flaredb/rdb-base";
import {
  type PdMemberServiceBatchRequest,
  PdMemberServiceBatchRequestSchema,
  type PdMemberServiceBatchResponse,
  PdMemberServiceBatchResponseSchema,
} from "@flaredb/rdb-proto";
import type { Message } from "@flaredb/rdb-raft";
import type { InboundStream, StreamCodec, Wire, WireServer } from "@flaredb/rdb-wire";
import { checkPapers } from "./member-check.ts";
import type { MemberInfo } from "./member-info.ts";
import { MEMBER_BATCH_PATH, MemberLink, type MemberPapers } from "./member-link.ts";
import { raftMessageFromProto } from "./raft-message-codec.ts";
import { SnapshotParts } from "./snapshot-parts.ts";

export interface MemberTransportOptions {
  /** What this member says of itself. */
  readonly papers: () => MemberPapers;
  /** host:port of another member, as far as known. */
  readonly addressOf: (memberId: number) => string | undefined;
  readonly isRemoved: (memberId: number) => boolean;
  /** See `LocalPapers`. */
  readonly hasServed: (memberId: number) => boolean;
  readonly wire: Pick<Wire, "connect">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What comes from other members. Nothing may throw. */
export interface MemberTransportHandlers {
  onMessage(message: Message): void;
  /** Another member that knows the cluster, as it is reached now, and the newest version that it knows. With each batch. */
  onSender(sender: MemberInfo, clusterVersion: number): void;
  /** What was sent to it may be lost. */
  onUnreachable(memberId: PeerId): void;
  /** The group says that this member was taken out. */
  onRemoved(error: RdbError): void;
}

/** The way between the members of PD's group: on the port of everything else, a stream to each other member. */
export class MemberTransport {
  readonly #options: MemberTransportOptions;
  readonly #links = new Map<PeerId, MemberLink>();
  #handlers: MemberTransportHandlers | undefined;
  #isClosed = false;

  constructor(options: MemberTransportOptions) {
    this.#options = options;
  }

  /** Before anything comes. */
  handle(handlers: MemberTransportHandlers): void {
    this.#handlers = handlers;
  }

  /** Before the server listens. */
  serve(server: Pick<WireServer, "handleStream">): void {
    server.handleStream(MEMBER_BATCH_PATH, inboundCodec, (stream) => {
      const parts = new SnapshotParts();
      return {
        onMessage: (batch) => this.#take(batch, parts, stream),
        onEnd: () => stream.close(),
        // The sender connects again.
        onClosed: () => {},
      };
    });
  }

  /** Begins to connect, so that the first votes need not wait for it. */
  connect(memberId: PeerId): void {
    this.#linkTo(memberId);
  }

  /** @returns whether it was taken: there is a connection, or one is being made */
  send(message: Message): boolean {
    const link = message.to === 0 ? undefined : this.#linkTo(message.to);
    return link?.send(message) === true;
  }

  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values()) {
      link.close();
    }
    this.#links.clear();
  }

  #linkTo(id: PeerId): MemberLink | undefined {
    const { addressOf, papers, wire, clock, random } = this.#options;
    const address = addressOf(id);
    const known = this.#links.get(id);
    if (this.#isClosed || address === undefined || known?.address === address) {
      return this.#isClosed ? undefined : known;
    }
    known?.close();
    const link = new MemberLink({
      ...{ toMemberId: id, address, papers, wire, clock, random },
      onDown: (error) => this.#down(id, error),
    });
    this.#links.set(id, link);
    return link;
  }

  #down(id: PeerId, error: RdbError): void {
    const { logger, addressOf } = this.#options;
    logger.info({ member: id, address: addressOf(id), reason: error.message }, "stream to a PD member ended");
    if (error.code === "RDB_DATA_FOREIGN") {
      this.#handlers?.onRemoved(error);
    } else {
      this.#handlers?.onUnreachable(id);
    }
  }

  #take(
    batch: PdMemberServiceBatchRequest,
    parts: SnapshotParts,
    stream: InboundStream<PdMemberServiceBatchResponse>,
  ): void {
    let messages: Message[];
    try {
      messages = this.#read(batch, parts);
    } catch (error) {
      const refusal = refusalOf(error);
      const { logger } = this.#options;
      logger.warn({ from: stream.peerAddress, reason: refusal.message }, "a PD member is refused");
      stream.close(refusal);
      return;
    }
    // Outside: what goes wrong in there is no fault of the sender.
    for (const message of messages) {
      this.#handlers?.onMessage(message);
    }
  }

  /** @throws RdbError see {@link checkPapers}; RDB_INVALID_ARGUMENT when it breaks the protocol's form */
  #read(batch: PdMemberServiceBatchRequest, parts: SnapshotParts): Message[] {
    const { isRemoved, hasServed, papers } = this.#options;
    const { self, clusterId, clusterVersion, initialCluster } = papers();
    const sender = senderOf(batch);
    const senderVersion = saidClusterVersion(batch.sender?.clusterVersion ?? 0);
    checkPapers(
      { clusterId, clusterVersion, initialCluster, memberId: self.id, isRemoved, hasServed },
      {
        clusterId: safeInteger(batch.clusterId, "cluster id"),
        initialCluster: batch.initialCluster,
        clusterVersion: senderVersion,
        fromMemberId: sender.id,
        fromAddress: sender.address,
        toMemberId: safeInteger(batch.toMemberId, "member id"),
      },
    );
    if (batch.clusterId !== 0n) {
      this.#handlers?.onSender(sender, senderVersion);
    }
    const ends = { from: peerId(sender.id), to: peerId(self.id) };
    const messages: Message[] = [];
    for (const { payload } of batch.messages) {
      if (payload.case === "snapshotPart") {
        parts.add(payload.value);
      } else if (payload.case === "message") {
        const data = payload.value.snapshot === undefined ? NO_DATA : parts.take();
        messages.push(raftMessageFromProto(payload.value, ends, data));
      }
    }
    return messages;
  }
}

const NO_DATA = new Uint8Array(0);

const inboundCodec: StreamCodec<PdMemberServiceBatchResponse, PdMemberServiceBatchRequest> = {
  encode: (responses) =>
    toBinary(PdMemberServiceBatchResponseSchema, responses[0] ?? create(PdMemberServiceBatchResponseSchema)),
  sizeOf: () => 0,
  decode: (bytes) => fromBinary(PdMemberServiceBatchRequestSchema, bytes),
};

/** @throws RdbError RDB_INVALID_ARGUMENT */
function senderOf({ sender }: PdMemberServiceBatchRequest): MemberInfo {
  if (sender === undefined || sender.id === 0n) {
    throw new RdbError("RDB_INVALID_ARGUMENT", "a message of another PD member does not say whose it is");
  }
  const { name, address, httpAddress } = sender;
  return { id: safeInteger(sender.id, "member id"), name, address, httpAddress };
}

/** A number past 2^53 is the sender's fault; anything else that is thrown is a fault of ours. */
function refusalOf(error: unknown): RdbError {
  if (error instanceof RdbError) {
    return error;
  }
  if (error instanceof RangeError) {
    return new RdbError("RDB_INVALID_ARGUMENT", error.message, { cause: error });
  }
  throw error;
}
