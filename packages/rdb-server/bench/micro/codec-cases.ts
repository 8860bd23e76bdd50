import { create } from "@bufbuild/protobuf";
import { index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import {
  BatchRequestSchema,
  decodeBatchRequest,
  decodeBatchResponse,
  encodeBatchRequest,
  encodeBatchResponse,
} from "@flaredb/rdb-proto";
import { putRequest, putResponse } from "@flaredb/rdb-wire/testing";
import { newMessage } from "@flaredb/rdb-raft";
import type { PeerMessage } from "../../src/store/peer-message.ts";
import { decodeRaftBatch } from "../../src/transport/raft-decoder.ts";
import { encodeRaftBatch } from "../../src/transport/raft-encoder.ts";
import { BATCH_COUNT, type MicroCase, sampleValue } from "./micro-case.ts";

const ids = Array.from({ length: BATCH_COUNT }, (_, at) => at);
const requests = create(BatchRequestSchema, {
  regions: [
    {
      header: { regionId: 1n, epoch: { confVer: 1n, version: 1n } },
      requests: ids.map((id) => putRequest(id, sampleValue())),
    },
  ],
});
const responses = ids.map(putResponse);
const requestBytes = encodeBatchRequest(requests);
const responseBytes = encodeBatchResponse(responses);

const peer = (store: number) => ({
  id: peerId(store * 10),
  storeId: storeId(store),
  role: "Voter" as const,
});

/** What a leader sends a follower for one batch of puts. */
const append: PeerMessage = {
  regionId: regionId(1),
  fromPeer: peer(1),
  toPeer: peer(2),
  epoch: { confVer: 1, version: 1 },
  range: undefined,
  payload: {
    kind: "raft",
    message: newMessage({
      type: "MsgApp",
      from: peerId(10),
      to: peerId(20),
      term: term(5),
      logTerm: term(5),
      index: index(100),
      commit: index(100),
      entries: ids.map((id) => ({
        type: "Normal" as const,
        term: term(5),
        index: index(101 + id),
        data: new Uint8Array(300).fill(id),
      })),
    }),
  },
};
const header = { clusterId: 1, fromStoreId: storeId(1), toStoreId: storeId(2), bootId: 7 };
const appendBytes = encodeRaftBatch(header, [append]);

/** What goes over the wire between clients, leaders and followers. */
export const codecCases: readonly MicroCase[] = [
  codec("client batch of puts, encode", () => encodeBatchRequest(requests)),
  codec("client batch of puts, decode", () => decodeBatchRequest(requestBytes)),
  codec("client batch of answers, encode", () => encodeBatchResponse(responses)),
  codec("client batch of answers, decode", () => decodeBatchResponse(responseBytes)),
  codec("Raft append, encode", () => encodeRaftBatch(header, [append])),
  codec("Raft append, decode", () => decodeRaftBatch(appendBytes)),
];

function codec(name: string, run: () => unknown): MicroCase {
  return { name, operations: BATCH_COUNT, prepare: () => ({ run }) };
}
