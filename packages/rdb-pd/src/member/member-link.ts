import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Clock, MiB, type Random, type RdbError } from "@flaredb/rdb-base";
import {
  type PdMemberMessage,
  PdMemberMessageSchema,
  PdMemberService,
  PdMemberServiceBatchRequestSchema,
  type PdMemberServiceBatchResponse,
  PdMemberServiceBatchResponseSchema,
} from "@flaredb/rdb-proto";
import type { Message } from "@flaredb/rdb-raft";
import { ReconnectingStream, type StreamCodec, type Wire } from "@flaredb/rdb-wire";
import type { GroupPapers } from "./member-check.ts";
import type { MemberInfo } from "./member-info.ts";
import { raftMessageToProto } from "./raft-message-codec.ts";
import { SNAPSHOT_MAX_BYTES, cutSnapshot } from "./snapshot-parts.ts";

/** The HTTP/2 path of the stream between members. */
export const MEMBER_BATCH_PATH: string = `/${PdMemberService.typeName}/${PdMemberService.method.batch.name}`;

/** Messages that wait for a connection that is being made. */
const QUEUE_MAX_COUNT = 64;
/** What a message's numbers take on the wire, at most, and those of each entry. */
const HEADER_BYTES = 128;
const ENTRY_HEADER_BYTES = 32;

/** What a member says of itself with each batch. */
export interface MemberPapers extends GroupPapers {
  readonly self: MemberInfo;
  /** The newest cluster version that this program knows. */
  readonly knownVersion: number;
}

export interface MemberLinkOptions {
  readonly toMemberId: number;
  readonly address: string;
  /** Asked for each batch. */
  readonly papers: () => MemberPapers;
  readonly wire: Pick<Wire, "connect">;
  readonly clock: Clock;
  readonly random: Random;
  /** What was on its way may be lost. */
  readonly onDown: (error: RdbError) => void;
}

/** The way from this member to another one: a stream that is opened again and again. */
export class MemberLink {
  readonly address: string;
  readonly #stream: ReconnectingStream<PdMemberMessage, PdMemberServiceBatchResponse>;

  constructor(options: MemberLinkOptions) {
    const { wire, clock, random, address, onDown } = options;
    this.address = address;
    this.#stream = new ReconnectingStream(codec(options), {
      ...{ wire, clock, random, onDown },
      path: MEMBER_BATCH_PATH,
      connection: { address },
      queueMaxCount: QUEUE_MAX_COUNT,
      onMessage: () => {},
    });
  }

  /** @returns whether it was taken; a snapshot only while there is a connection */
  send(message: Message): boolean {
    const wire = raftMessageToProto(message);
    if (wire === undefined) {
      return false;
    }
    const data = message.snapshot?.data;
    if (data !== undefined) {
      return this.#stream.isUp && this.#sendParts(data) && this.#push({ case: "message", value: wire });
    }
    return this.#push({ case: "message", value: wire });
  }

  close(): void {
    this.#stream.close();
  }

  #sendParts(data: Uint8Array): boolean {
    return cutSnapshot(data).every((part) => this.#push({ case: "snapshotPart", value: part }));
  }

  #push(payload: PdMemberMessage["payload"]): boolean {
    return this.#stream.push(create(PdMemberMessageSchema, { payload }));
  }
}

function codec({
  papers,
  toMemberId,
}: MemberLinkOptions): StreamCodec<PdMemberMessage, PdMemberServiceBatchResponse> {
  return {
    encode: (messages) => {
      const { self, clusterId, initialCluster, knownVersion } = papers();
      const batch = create(PdMemberServiceBatchRequestSchema, {
        clusterId: BigInt(clusterId),
        initialCluster,
        sender: { ...self, id: BigInt(self.id), clusterVersion: knownVersion },
        toMemberId: BigInt(toMemberId),
        messages: [...messages],
      });
      return toBinary(PdMemberServiceBatchRequestSchema, batch);
    },
    sizeOf: ({ payload }) => {
      switch (payload.case) {
        case "message":
          return payload.value.entries.reduce(
            (bytes, { data }) => bytes + data.length + ENTRY_HEADER_BYTES,
            HEADER_BYTES,
          );
        case "snapshotPart":
          return payload.value.length;
        case undefined:
          return 0;
      }
    },
    decode: (bytes) => fromBinary(PdMemberServiceBatchResponseSchema, bytes),
    limits: { queueMaxBytes: SNAPSHOT_MAX_BYTES + 64 * MiB },
  };
}
