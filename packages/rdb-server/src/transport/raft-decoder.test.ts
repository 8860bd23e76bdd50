import { fromBinary } from "@bufbuild/protobuf";
import { index, storeId, term } from "@flaredb/rdb-base";
import { RaftServiceBatchRequestSchema } from "@flaredb/rdb-proto";
import type { Message } from "@flaredb/rdb-raft";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerMessage } from "../store/peer-message.ts";
import { raftMessage } from "../testing/peer-messages.ts";
import { decodeStreamedMessage } from "./raft-codec.ts";
import { decodeRaftBatch } from "./raft-decoder.ts";
import { encodeRaftBatch } from "./raft-encoder.ts";

const safe = fc.oneof(fc.nat(300), fc.maxSafeNat());
const entries = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 3 });

/** Messages of the hot path, and one that is not. */
const hotMessage = fc
  .record({
    type: fc.constantFrom("MsgApp", "MsgAppResp", "MsgHeartbeat", "MsgHeartbeatResp", "MsgVote"),
    at: fc.nat(2 ** 40),
    number: safe,
    reject: fc.boolean(),
    context: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }), { nil: undefined }),
    datas: entries,
  })
  .map(({ type, at, number, reject, context, datas }) => {
    const fields: Partial<Message> = {
      ...{
        type: type as Message["type"],
        term: term(3),
        logTerm: term(2),
        index: index(at),
        reject,
        context,
      },
      ...{ commit: index(number), rejectHint: index(number) },
      entries: datas.map((data, place) => ({
        ...{ term: term(3), index: index(at + place + 1), type: "Normal" as const, data },
      })),
    };
    return raftMessage(1, 2, fields, 7);
  });

const header = { clusterId: 77, fromStoreId: storeId(1), toStoreId: storeId(2), bootId: 2 ** 50 };

/** What the generated code makes of it. */
function slowly(bytes: Uint8Array): unknown {
  const { clusterId, fromStoreId, toStoreId, bootId, messages } = fromBinary(
    RaftServiceBatchRequestSchema,
    bytes,
  );
  return { clusterId, fromStoreId, toStoreId, bootId, messages: messages.map(decodeStreamedMessage) };
}

function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return "no protobuf";
  }
}

test("SPEC-M2: a batch is decoded to what was sent", () => {
  fc.assert(
    fc.property(fc.array(hotMessage, { maxLength: 4 }), (messages: PeerMessage[]) => {
      const decoded = decodeRaftBatch(encodeRaftBatch(header, messages));
      expect(decoded).toEqual({
        ...{ clusterId: 77n, fromStoreId: 1n, toStoreId: 2n, bootId: BigInt(2 ** 50) },
        messages: messages.map((message) => ({ ok: true, message })),
      });
    }),
  );
});

test("SPEC-M2: damaged bytes are decoded and refused as the generated code does it", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.nat(40))), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      fc.array(hotMessage, { minLength: 1, maxLength: 2 }),
      damage,
      fc.nat(3),
      (messages, changes, cut) => {
        const whole = encodeRaftBatch(header, messages);
        const bytes = whole.slice(0, whole.length - cut);
        for (const [place, value] of changes) {
          bytes[place % bytes.length] = value;
        }
        const fast = outcome((input) => decodeRaftBatch(input), bytes);
        const slow = outcome(slowly, bytes);
        // It is stricter where a nested message reaches past the one around it.
        if (fast !== "no protobuf") {
          expect(fast).toMatchObject(slow as object);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
