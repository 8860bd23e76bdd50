import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SessionHead, type SessionRecord, SessionRowWriter, decodeSessionRow } from "./session-codec.ts";

const CORRUPT = expect.objectContaining({ code: "RDB_DATA_CORRUPT" });
const key = (text: string): Uint8Array => new TextEncoder().encode(text);

function encode(head: SessionHead, records: readonly SessionRecord[]): Uint8Array {
  const writer = new SessionRowWriter(head, records.length);
  for (const record of records) {
    writer.add(record);
  }
  expect(writer.sizeBytes).toBe(writer.finish().length);
  return writer.finish();
}

const safe = fc.maxSafeNat();
const rows = fc
  .record({
    logTimeMs: safe,
    baseRevision: fc.nat({ max: 2 ** 50 }),
    clients: fc.array(fc.record({ clientId: safe, floor: fc.nat({ max: 2 ** 32 - 1 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    records: fc.array(
      fc.record({
        client: fc.nat(),
        later: fc.oneof(fc.nat(300), fc.nat({ max: 2 ** 31 })),
        kind: fc.nat(15),
        mutations: fc.nat(20_000),
        firstKey: fc.uint8Array({ maxLength: 200 }),
        lastKey: fc.option(fc.uint8Array({ maxLength: 200 })),
        keyHashes: fc.uint8Array({ maxLength: 300 }),
        details: fc.uint8Array({ maxLength: 300 }),
      }),
    ),
  })
  .map(({ records, ...head }) => ({
    head,
    records: records.map(({ later, mutations, lastKey, ...record }) => {
      const client = record.client % head.clients.length;
      return {
        ...record,
        client,
        sequence: (head.clients[client]?.floor ?? 0) + later,
        revision: head.baseRevision + mutations,
        lastKey: lastKey ?? record.firstKey,
      };
    }),
  }));

describe("a session row", () => {
  it("reads back as it was written", () => {
    fc.assert(
      fc.property(rows, ({ head, records }) => {
        expect(decodeSessionRow(encode(head, records))).toEqual({ ...head, records });
      }),
    );
  });

  it("takes 22 bytes for a put with a key of 16 bytes", () => {
    const head = { logTimeMs: 1e12, baseRevision: 1e9, clients: [{ clientId: 2 ** 52, floor: 1_000_000 }] };
    const put = (sequence: number): SessionRecord => {
      const firstKey = key("bench/0123456789");
      const none = new Uint8Array(0);
      return {
        client: 0,
        sequence,
        kind: 0,
        revision: 1e9 + 100,
        firstKey,
        lastKey: firstKey,
        keyHashes: none,
        details: none,
      };
    };
    const [first, second] = [put(1_000_100), put(1_000_200)];
    expect(encode(head, [first, second]).length - encode(head, [first]).length).toBe(22);
  });

  it("SPEC-R3: is refused when it is cut off, longer or of another format", () => {
    const head = { logTimeMs: 5, baseRevision: 7, clients: [{ clientId: 3, floor: 2 }] };
    const record = {
      client: 0,
      sequence: 2,
      kind: 4,
      revision: 8,
      firstKey: key("a"),
      lastKey: key("b"),
      keyHashes: key("hash"),
      details: key("answer"),
    };
    const row = encode(head, [record]);
    const whole = encode(head, []).length;
    for (let length = 0; length < row.length; length++) {
      if (length !== whole) {
        expect(() => decodeSessionRow(row.slice(0, length)), `${length} bytes`).toThrowError(CORRUPT);
      }
    }
    expect(() => decodeSessionRow(Uint8Array.of(...row, 0))).toThrowError(CORRUPT);
    expect(() => decodeSessionRow(Uint8Array.of(9, ...row.slice(1)))).toThrowError(CORRUPT);
    // A record of a client that the row does not have.
    const noSuchClient = Uint8Array.of(...encode({ ...head, clients: [] }, []), 0, 0, 0, 0, 0);
    expect(() => decodeSessionRow(noSuchClient)).toThrowError(CORRUPT);
  });

  it("SPEC-R3: is refused when a number in it is beyond what can be held", () => {
    const head = encode({ logTimeMs: 5, baseRevision: 7, clients: [] }, []);
    const endless = Uint8Array.of(...head.slice(0, 17), ...new Uint8Array(12).fill(0xff), 1);
    expect(() => decodeSessionRow(endless)).toThrowError(CORRUPT);
    const large = Uint8Array.of(1, 0xff, ...head.slice(2));
    expect(() => decodeSessionRow(large)).toThrowError(CORRUPT);
  });
});
