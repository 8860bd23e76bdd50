import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { limits } from "@flaredb/rdb-base";
import { ClientSessionSchema, type KvRequest, KvRequestSchema, RegionHeaderSchema } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { findInvalidField, findInvalidHeader, findInvalidIdentity } from "./validate-request.ts";

type Init = MessageInitShape<typeof KvRequestSchema>;

function request(init: Init): KvRequest {
  return create(KvRequestSchema, init);
}

const key = (length: number) => new Uint8Array(length).fill(97);
const bytes = (text: string) => new TextEncoder().encode(text);
const longKey = key(limits.keyMaxBytes + 1);
const largeValue = new Uint8Array(limits.valueMaxBytes + 1);
const manyKeys = Array.from({ length: limits.batchMaxCount + 1 }, () => key(1));
const threeLarge = Array.from({ length: 3 }, () => ({ key: key(1), value: new Uint8Array(6_000_000) }));

const get = (value: object): Init => ({ command: { case: "get", value } }) as Init;
const command = (name: string, value: object): Init => ({ command: { case: name, value } }) as Init;

test.each<[string, Init, string, string]>([
  ["no command", {}, "command", "command must be set to one that this Store knows"],
  ["an empty key", get({}), "key", "key must not be empty"],
  ["a key over 4 KiB", get({ key: longKey }), "key", "key length 4097 must be <= keyMaxBytes 4096"],
  ["a put without a key", command("put", { value: key(1) }), "key", "key must not be empty"],
  [
    "a value over 8 MiB",
    command("put", { key: key(1), value: largeValue }),
    "value",
    "value length 8388609 must be <= valueMaxBytes 8388608",
  ],
  ["a delete without a key", command("delete", {}), "key", "key must not be empty"],
  [
    "a timeout over the limit",
    { ...get({ key: key(1) }), timeoutMs: 600_001 },
    "timeout_ms",
    "timeout_ms 600001 must be <= deadlineMaxMs 600000",
  ],
  [
    "an unknown read_from",
    { ...get({ key: key(1) }), readFrom: 7 as never },
    "read_from",
    "read_from 7 must be 0 or 1",
  ],
  ["an empty batch", command("batchGet", {}), "keys", "keys must not be empty"],
  [
    "a batch with a bad key",
    command("batchDelete", { keys: [key(1), longKey] }),
    "keys[1]",
    "keys[1] length 4097 must be <= keyMaxBytes 4096",
  ],
  [
    "a batch of too many",
    command("batchGet", { keys: manyKeys }),
    "keys",
    "keys count 10001 must be <= batchMaxCount 10000",
  ],
  [
    "a batch of too many bytes",
    command("batchPut", { rows: threeLarge }),
    "rows",
    "rows bytes 18000003 must be <= batchMaxBytes 16777216",
  ],
  [
    "a batch with a large value",
    command("batchPut", { rows: [{ key: key(1), value: largeValue }] }),
    "rows[0].value",
    "rows[0].value length 8388609 must be <= valueMaxBytes 8388608",
  ],
  [
    "a scan with start after end",
    command("scan", { startKey: bytes("b"), endKey: bytes("a") }),
    "start_key",
    "start_key must not be after end_key",
  ],
  [
    "a scan with a long bound",
    command("scan", { startKey: key(limits.keyMaxBytes + 2) }),
    "start_key",
    "start_key length 4098 must be <= keyMaxBytes + 1 4097",
  ],
  [
    "a scan page over the limit",
    command("scan", { maxBytes: 15_728_641 }),
    "max_bytes",
    "max_bytes 15728641 must be <= the largest page 15728640",
  ],
  [
    "a deleteRange with start after end",
    command("deleteRange", { startKey: bytes("b"), endKey: bytes("a") }),
    "start_key",
    "start_key must not be after end_key",
  ],
  ["a swap without a key", command("compareAndSwap", {}), "key", "key must not be empty"],
  [
    "a swap that expects too large a value",
    command("compareAndSwap", { key: key(1), expect: { condition: { case: "value", value: largeValue } } }),
    "expect.value",
    "expect.value length 8388609 must be <= valueMaxBytes 8388608",
  ],
  [
    "a swap that expects absent: false",
    command("compareAndSwap", { key: key(1), expect: { condition: { case: "absent", value: false } } }),
    "expect.absent",
    "expect.absent must be true, or left out",
  ],
  [
    "a delete that expects too high a version",
    command("compareAndDelete", {
      key: key(1),
      expect: { condition: { case: "version", value: 2n ** 53n } },
    }),
    "expect.version",
    "expect.version 9007199254740992 must be <= 2^53 - 1",
  ],
  [
    "an empty conditional batch",
    command("conditionalBatch", {}),
    "conditions and mutations",
    "conditions and mutations must not be empty",
  ],
  [
    "a mutation that is nothing",
    command("conditionalBatch", { mutations: [{}] }),
    "mutations[0]",
    "mutations[0] must be a put or a delete",
  ],
  [
    "a mutation without a key",
    command("conditionalBatch", { mutations: [{ operation: { case: "put", value: {} } }] }),
    "mutations[0].put.key",
    "mutations[0].put.key must not be empty",
  ],
  [
    "a condition without a key",
    command("conditionalBatch", { conditions: [{ version: 1n }] }),
    "conditions[0].key",
    "conditions[0].key must not be empty",
  ],
])("%s is refused", (_name, init, field, message) => {
  expect(findInvalidField(request(init))).toEqual({ field, message });
});

test.each<[string, Init]>([
  ["the longest key", get({ key: key(limits.keyMaxBytes) })],
  ["the largest value", command("put", { key: key(1), value: new Uint8Array(limits.valueMaxBytes) })],
  ["an empty value", command("put", { key: key(1) })],
  ["the largest batch", command("batchGet", { keys: manyKeys.slice(1) })],
  ["a scan over everything", command("scan", {})],
  ["a scan from a key to the end", command("scan", { startKey: bytes("z") })],
  ["a scan over nothing", command("scan", { startKey: bytes("a"), endKey: bytes("a") })],
  [
    "a scan that continues behind the longest key",
    command("scan", { startKey: key(limits.keyMaxBytes + 1) }),
  ],
  ["a swap that expects nothing", command("compareAndSwap", { key: key(1), value: key(1) })],
  [
    "a delete of what is absent",
    command("compareAndDelete", { key: key(1), expect: { condition: { case: "absent", value: true } } }),
  ],
  ["conditions alone", command("conditionalBatch", { conditions: [{ key: key(1), version: 0n }] })],
  ["a follower read with the longest deadline", { ...get({ key: key(1) }), readFrom: 1, timeoutMs: 600_000 }],
])("%s is taken", (_name, init) => {
  expect(findInvalidField(request(init))).toBeUndefined();
});

test("a header must name Region, Store and epoch in numbers that can be held", () => {
  const header = { regionId: 1n, storeId: 2n, epoch: { confVer: 1n, version: 1n } };
  const problem = (init: object) =>
    findInvalidHeader(create(RegionHeaderSchema, { ...header, ...init }))?.message;
  expect(findInvalidHeader(undefined)?.message).toBe("header must be set");
  expect(problem({ epoch: undefined })).toBe("header.epoch must be set");
  expect(problem({ regionId: 2n ** 53n })).toBe("header.region_id 9007199254740992 must be <= 2^53 - 1");
  expect(problem({ epoch: { version: 2n ** 63n } })).toContain("header.epoch.version");
  expect(problem({})).toBeUndefined();
});

test.each([
  [0n, "header.session.client_id must not be 0"],
  [2n ** 53n, "header.session.client_id 9007199254740992 must be <= 2^53 - 1"],
  [1n, undefined],
])("a session of client %s", (clientId, message) => {
  const header = { regionId: 1n, epoch: { version: 1n }, session: { clientId } };
  expect(findInvalidHeader(create(RegionHeaderSchema, header))?.message).toBe(message);
});

test.each<[string, Init, number | undefined, string | undefined]>([
  ["none", {}, undefined, undefined],
  ["none under a session", {}, 9, undefined],
  [
    "a sequence of nobody",
    { sequence: 1, issuedAtMs: 1n },
    undefined,
    "header.session must be set for sequence 1",
  ],
  [
    "a sequence that is closed by its own session",
    { sequence: 4, issuedAtMs: 1n },
    5,
    "header.session.lowest_open_sequence 5 must be <= sequence 4",
  ],
  ["no time of issue", { sequence: 5 }, 5, "issued_at_ms must not be 0"],
  [
    "a time of issue that no number holds",
    { sequence: 5, issuedAtMs: 2n ** 53n },
    5,
    "issued_at_ms 9007199254740992 must be <= 2^53 - 1",
  ],
  ["a whole identity", { sequence: 5, issuedAtMs: 1n }, 5, undefined],
  ["a client that closes nothing", { sequence: 1, issuedAtMs: 1n }, 0, undefined],
])("an identity: %s", (_name, init, lowestOpenSequence, message) => {
  const session =
    lowestOpenSequence === undefined
      ? undefined
      : create(ClientSessionSchema, { clientId: 7n, lowestOpenSequence });
  expect(findInvalidIdentity(session, request(init))?.message).toBe(message);
});
