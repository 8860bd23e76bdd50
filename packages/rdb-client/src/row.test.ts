import fc from "fast-check";
import { regionId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { AnsweredRows } from "./row.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

/** Rows as views of one message, with other bytes before, between and behind them. */
function inOneMessage(rows: readonly { key: Uint8Array; value: Uint8Array; gap: Uint8Array }[]) {
  const parts = rows.flatMap(({ key, value, gap }) => [gap, key, gap, value]);
  const message = new Uint8Array(Buffer.concat([...parts, new Uint8Array(7)]));
  let at = 0;
  return rows.map(({ key, value, gap }, place) => {
    const keyStart = at + gap.length;
    const valueStart = keyStart + key.length + gap.length;
    at = valueStart + value.length;
    return {
      key: message.subarray(keyStart, keyStart + key.length),
      value: message.subarray(valueStart, at),
      version: BigInt(place),
    };
  });
}

describe("the rows of an answer", () => {
  const answers = fc
    .array(fc.record({ key: bytes(20), value: fc.oneof(bytes(300), bytes(3_000)), gap: bytes(4) }), {
      maxLength: 100,
    })
    .map(inOneMessage);

  it("are what the wire has", () => {
    fc.assert(
      fc.property(answers, (wire) => {
        const rows = new AnsweredRows(7n, regionId(3));
        const taken = wire.map((row) => rows.take(row));
        expect(
          taken.map(({ key, value, version, revision }) => ({
            key: [...key],
            value: [...value],
            version,
            revision,
          })),
        ).toEqual(
          wire.map(({ key, value, version }) => ({
            key: [...key],
            value: [...value],
            version: Number(version),
            revision: 7,
          })),
        );
      }),
    );
  });

  it("share no byte with each other: what one is written over with shows in no other", () => {
    fc.assert(
      fc.property(answers, (wire) => {
        const before = wire.map(({ key, value }) => [[...key], [...value]]);
        const rows = new AnsweredRows(7n, regionId(3));
        const taken = wire.map((row) => rows.take(row));
        for (const [place, { key, value }] of taken.entries()) {
          expect([[...key], [...value]]).toEqual(before[place]);
          key.fill(0xee);
          value.fill(0xee);
        }
      }),
    );
  });

  it("hold 8 KiB of their message, not all of it", () => {
    const many = Array.from({ length: 1_000 }, () => ({
      key: new Uint8Array(16),
      value: new Uint8Array(256),
      gap: new Uint8Array(2),
    }));
    const rows = new AnsweredRows(7n, regionId(3));
    const pieces = new Set(inOneMessage(many).map((row) => rows.take(row).value.buffer));
    expect(pieces.size).toBeGreaterThan(30);
    for (const piece of pieces) {
      expect(piece.byteLength).toBeLessThanOrEqual(8 * 1024);
    }
  });

  it("have memory of their own when they are large", () => {
    const large = [1, 2, 3].map(() => ({
      key: new Uint8Array(16),
      value: new Uint8Array(5_000),
      gap: new Uint8Array(2),
    }));
    const rows = new AnsweredRows(7n, regionId(3));
    for (const row of inOneMessage(large).map((wire) => rows.take(wire))) {
      expect(row.value.buffer.byteLength).toBe(5_000);
      expect(row.key.buffer.byteLength).toBe(16);
    }
  });
});
