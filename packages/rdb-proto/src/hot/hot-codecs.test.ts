import { type DescMessage, type MessageShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  BatchRequestSchema,
  BatchResponseSchema,
  type KvRequest,
  KvRequestSchema,
  ReadFrom,
  type Row,
} from "../gen/rdb/v1/kv_service_pb.ts";
import { LogCommandSchema } from "../gen/rdb/v1/log_command_pb.ts";
import { encodeFrame, frameInPlace } from "../grpc-frame.ts";
import { decodeBatchRequest, encodeBatchRequest } from "./batch-request.ts";
import { decodeBatchResponse, encodeBatchResponse } from "./batch-response.ts";
import { decodeLogEntry, encodeLogEntry } from "./log-command.ts";

// The generated code is the reference: what is written by hand must read and write the same, whatever it is given.

const bytes = fc.uint8Array({ maxLength: 300 });
const uint32 = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 2 ** 31 - 1 }).map((value) => value * 2 + 1),
);
const uint64 = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()).map(BigInt);
const row = fc.record({ key: bytes, value: bytes });

/** Writes, as requests and entries have them. */
const write = fc.oneof(
  fc.record({ case: fc.constant("put" as const), value: row }),
  fc.record({ case: fc.constant("delete" as const), value: fc.record({ key: bytes }) }),
  fc.record({
    case: fc.constant("batchPut" as const),
    value: fc.record({ rows: fc.array(row, { maxLength: 3 }) }),
  }),
  fc.record({
    case: fc.constant("compareAndDelete" as const),
    value: fc.record({ key: bytes, returnPrevious: fc.boolean() }),
  }),
);
const command = fc.oneof(
  write,
  fc.record({ case: fc.constant("get" as const), value: fc.record({ key: bytes }) }),
  fc.record({ case: fc.constant("scan" as const), value: fc.record({ startKey: bytes, limit: uint32 }) }),
  fc.record({
    case: fc.constant("batchGet" as const),
    value: fc.record({ keys: fc.array(bytes, { maxLength: 3 }) }),
  }),
  fc.constant({ case: undefined }),
);
const header = fc.record(
  {
    regionId: uint64,
    storeId: uint64,
    epoch: fc.record({ confVer: uint64, version: uint64 }),
    session: fc.record({ clientId: uint64, lowestOpenSequence: uint32 }),
  },
  { requiredKeys: ["regionId", "storeId"] },
);
const request = fc.record(
  {
    requestId: uint32,
    timeoutMs: uint32,
    readFrom: fc.constantFrom(ReadFrom.UNSPECIFIED, ReadFrom.FOLLOWER, 7 as ReadFrom),
    command,
    sequence: uint32,
    issuedAtMs: uint64,
    traceContext: bytes,
  },
  { requiredKeys: ["requestId", "timeoutMs", "readFrom", "command", "sequence", "issuedAtMs"] },
);
const region = fc.record(
  { header, requests: fc.array(request, { maxLength: 4 }) },
  { requiredKeys: ["requests"] },
);
const requests = fc.record({ regions: fc.array(region, { maxLength: 3 }) });
const foundRows = fc.array(fc.record({ key: bytes, value: bytes, version: uint64 }), { maxLength: 3 });
const result = fc.oneof(
  fc.record({
    case: fc.constant("scan" as const),
    value: fc.record({
      rows: foundRows,
      hasMore: fc.boolean(),
      revision: uint64,
      regionStartKey: bytes,
      regionEndKey: bytes,
    }),
  }),
  fc.record({
    case: fc.constant("batchGet" as const),
    value: fc.record({ rows: foundRows, revision: uint64 }),
  }),
  fc.record({ case: fc.constant("put" as const), value: fc.record({ version: uint64 }) }),
  fc.record({
    case: fc.constant("get" as const),
    value: fc.record({ found: fc.boolean(), value: bytes, version: uint64, revision: uint64 }),
  }),
  fc.record({ case: fc.constant("error" as const), value: fc.record({ message: fc.string() }) }),
  fc.record({
    case: fc.constant("delete" as const),
    value: fc.record({ deleted: fc.boolean(), revision: uint64 }),
  }),
  fc.constant({ case: undefined }),
);
const responses = fc.record({
  responses: fc.array(fc.record({ requestId: uint32, result }), { maxLength: 5 }),
});
const run = fc.record({
  session: uint32,
  firstSequence: uint32,
  count: uint32,
  issuedOffsetMs: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});
const entry = fc.record({
  epochVersion: uint64,
  epochConfVer: uint64,
  logTimeMs: uint64,
  command: fc.oneof(
    fc.record({
      case: fc.constant("writes" as const),
      value: fc.record({
        writes: fc.array(
          write.map((one) => ({ command: one })),
          { maxLength: 5 },
        ),
      }),
    }),
    fc.record({
      case: fc.constant("compactLog" as const),
      value: fc.record({ index: uint64, term: uint64 }),
    }),
    fc.constant({ case: undefined }),
  ),
  sessions: fc.array(fc.record({ clientId: uint64, lowestOpenSequence: uint32 }), { maxLength: 3 }),
  runs: fc.array(run, { maxLength: 3 }),
});

interface Codec<Schema extends DescMessage> {
  readonly schema: Schema;
  readonly messages: fc.Arbitrary<MessageShape<Schema>>;
  encode(message: MessageShape<Schema>): Uint8Array;
  decode(message: Uint8Array): MessageShape<Schema>;
}

function prove<Schema extends DescMessage>({ schema, messages, encode, decode }: Codec<Schema>): void {
  it("writes what the generated code writes", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(encode(message)).toEqual(toBinary(schema, message));
      }),
    );
  });

  it("reads what the generated code reads", () => {
    fc.assert(
      fc.property(messages, fc.nat({ max: 9 }), (message, before) => {
        // As a Buffer within a larger one, as messages come from the network.
        const encoded = toBinary(schema, message);
        const within = Buffer.concat([new Uint8Array(before), encoded, new Uint8Array(3)]);
        const view = within.subarray(before, before + encoded.length);
        expect(decode(view)).toEqual(fromBinary(schema, encoded));
      }),
    );
  });

  it("reads or refuses as the generated code does what is damaged, cut off or of a newer program", () => {
    const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 3 });
    fc.assert(
      fc.property(messages, damage, fc.nat({ max: 5 }), bytes, (message, damages, cutBytes, added) => {
        const encoded = Uint8Array.of(...toBinary(schema, message), ...added);
        for (const { at, byte } of damages) {
          encoded[at % encoded.length] = byte;
        }
        const data = encoded.subarray(0, encoded.length - Math.min(cutBytes, encoded.length));
        expect(outcome(() => decode(data))).toEqual(outcome(() => fromBinary(schema, data)));
      }),
      { numRuns: 1_000 },
    );
  });
}

function outcome<Value>(read: () => Value): Value | "refused" {
  try {
    return read();
  } catch {
    return "refused";
  }
}

describe("a BatchRequest by hand", () => {
  prove({
    schema: BatchRequestSchema,
    messages: requests.map((init) => create(BatchRequestSchema, init)),
    encode: encodeBatchRequest,
    decode: decodeBatchRequest,
  });

  it("joins the parts of a command, and takes the last of two", () => {
    const one = (init: KvRequest["command"]): Uint8Array =>
      toBinary(KvRequestSchema, create(KvRequestSchema, { command: init }));
    const put = (key: string, value: string): Uint8Array =>
      one({
        case: "put",
        value: { $typeName: "rdb.v1.PutRequest", key: Buffer.from(key), value: Buffer.from(value) },
      });
    const get = one({ case: "get", value: { $typeName: "rdb.v1.GetRequest", key: Buffer.from("k") } });
    for (const parts of [
      [put("k", ""), put("", "v")],
      [put("k", "v"), get],
      [get, put("k", "v")],
    ]) {
      const whole = Uint8Array.of(...(parts[0] as Uint8Array), ...(parts[1] as Uint8Array));
      const region = Uint8Array.of(0x12, whole.length, ...whole);
      const batch = Uint8Array.of(0x0a, region.length, ...region);
      expect(decodeBatchRequest(batch)).toEqual(fromBinary(BatchRequestSchema, batch));
    }
  });
});

describe("a BatchResponse by hand", () => {
  prove({
    schema: BatchResponseSchema,
    messages: responses.map((init) => create(BatchResponseSchema, init)),
    encode: (message) => encodeBatchResponse(message.responses),
    decode: decodeBatchResponse,
  });

  it("refuses a number that is padded beyond ten bytes", () => {
    const withRequestId = (padBytes: number): Uint8Array => {
      const response = Uint8Array.of(0x08, 0x81, ...new Uint8Array(padBytes).fill(0x80), 0);
      return Uint8Array.of(0x0a, response.length, ...response);
    };
    for (const padBytes of [0, 5, 6, 7, 8, 9, 10]) {
      const data = withRequestId(padBytes);
      const decoded = outcome(() => decodeBatchResponse(data));
      expect(decoded).toEqual(outcome(() => fromBinary(BatchResponseSchema, data)));
      expect(decoded === "refused").toBe(padBytes > 8);
    }
  });
});

describe("rows of an answer", () => {
  const answerOf = (rows: readonly { key: Uint8Array; value: Uint8Array }[]): Uint8Array => {
    const value = { rows: rows.map((one) => ({ ...one, version: 1n })) };
    return toBinary(
      BatchResponseSchema,
      create(BatchResponseSchema, { responses: [{ requestId: 1, result: { case: "scan", value } }] }),
    );
  };
  const rowsOf = (message: Uint8Array): Row[] => {
    const result = decodeBatchResponse(message).responses[0]?.result;
    return result?.case === "scan" ? result.value.rows : [];
  };

  it("share no byte with each other: what one is written over with shows in no other", () => {
    const rows = fc.array(fc.record({ key: bytes, value: fc.uint8Array({ maxLength: 3_000 }) }), {
      minLength: 1,
      maxLength: 60,
      size: "max",
    });
    fc.assert(
      fc.property(rows, (written) => {
        const before = written.map(({ key, value }) => [[...key], [...value]]);
        for (const [place, { key, value }] of rowsOf(answerOf(written)).entries()) {
          expect([[...key], [...value]]).toEqual(before[place]);
          key.fill(0xee);
          value.fill(0xee);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("hold 8 KiB of their message when they are small, and nothing that is copied when they are large", () => {
    const small = Array.from({ length: 1_000 }, () => ({
      key: new Uint8Array(16),
      value: new Uint8Array(256),
    }));
    const pieces = new Set(rowsOf(answerOf(small)).map((one) => one.value.buffer));
    expect(pieces.size).toBeGreaterThan(30);
    for (const piece of pieces) {
      expect(piece.byteLength).toBeLessThanOrEqual(8 * 1024);
    }
    const large = [1, 2].map(() => ({ key: new Uint8Array(16), value: new Uint8Array(5_000) }));
    const message = answerOf(large);
    for (const one of rowsOf(message)) {
      expect(one.key.buffer).toBe(message.buffer);
      expect(one.value.buffer).toBe(message.buffer);
    }
  });
});

describe("a frame in place", () => {
  it("is what a frame by copying is", () => {
    fc.assert(
      fc.property(requests, responses, (batch, answers) => {
        const request = encodeBatchRequest(create(BatchRequestSchema, batch));
        const response = encodeBatchResponse(create(BatchResponseSchema, answers).responses);
        for (const message of [request, response]) {
          const copied = encodeFrame(message);
          expect(frameInPlace(message)).toEqual(copied);
        }
      }),
    );
  });

  it("is refused to a message that has no room before it", () => {
    expect(() => frameInPlace(new Uint8Array(10))).toThrow("room for the prefix");
  });
});

describe("an entry of the log by hand", () => {
  prove({
    schema: LogCommandSchema,
    messages: entry.map((init) => create(LogCommandSchema, init)),
    encode: encodeLogEntry,
    decode: decodeLogEntry,
  });
});
