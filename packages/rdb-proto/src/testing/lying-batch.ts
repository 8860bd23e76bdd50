import { create, toBinary } from "@bufbuild/protobuf";
import type { Peer } from "../gen/rdb/v1/metapb_pb.ts";
import {
  type RaftMessage,
  RaftMessageSchema,
  type RaftServiceBatchRequest,
  RaftServiceBatchRequestSchema,
} from "../gen/rdb/v1/raft_service_pb.ts";
import type { ProtoFuzzer } from "./proto-fuzzer.ts";

/** Who says it to whom, of which Region; the rest of a lie is drawn. */
export interface LieEnds
  extends Pick<RaftServiceBatchRequest, "clusterId" | "fromStoreId" | "toStoreId">,
    Pick<RaftMessage, "regionId"> {
  readonly fromPeer: Peer;
  readonly toPeer: Peer;
}

/** A batch of one message that no Store sends, as it travels. */
export function lyingBatch(fuzzer: ProtoFuzzer, ends: LieEnds): Uint8Array {
  const { clusterId, fromStoreId, toStoreId, regionId, fromPeer, toPeer } = ends;
  const drawn = fuzzer.message(RaftMessageSchema) as RaftMessage;
  const message = create(RaftMessageSchema, { ...drawn, regionId, fromPeer, toPeer });
  return toBinary(
    RaftServiceBatchRequestSchema,
    create(RaftServiceBatchRequestSchema, {
      clusterId,
      fromStoreId,
      toStoreId,
      bootId: 1n,
      messages: [message],
    }),
  );
}
