import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchPutCommand, bytes, deleteRangeCommand, kvCommand, putCommand } from "../testing/index.ts";
import { type Write, spanCovers, spanOf } from "./write-span.ts";

const batch = (...keys: string[]): Write =>
  batchPutCommand(Object.fromEntries(keys.map((key) => [key, "x"]))) as Write;

describe("spanCovers", () => {
  it("SPEC-R4: holds for the parts of a batch, and for no key that it did not have", () => {
    const key = fc.string({ minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 8 }),
        fc.uniqueArray(key, { minLength: 1, maxLength: 4 }),
        (whole, other) => {
          const span = spanOf(batch(...whole));
          const part = whole.filter((_, place) => place % 2 === 0);
          expect(spanCovers(span, batch(...part))).toBe(true);
          expect(spanCovers(span, batch(...other))).toBe(other.every((one) => whole.includes(one)));
        },
      ),
    );
  });

  it("is not misled by keys that lie between those of the record", () => {
    const span = spanOf(batch("a", "c", "e"));
    expect(spanCovers(span, batch("a", "e"))).toBe(true);
    expect(spanCovers(span, batch("c"))).toBe(true);
    expect(spanCovers(span, batch("b"))).toBe(false);
    expect(spanCovers(span, batch("a", "d", "e"))).toBe(false);
    expect(spanCovers(span, batch("f"))).toBe(false);
  });

  it("keeps nothing but the keys themselves of one or two, four bytes of each further one", () => {
    expect(spanOf(putCommand("a", "1") as Write).keyHashes).toHaveLength(0);
    expect(spanOf(batch("b", "a")).keyHashes).toHaveLength(0);
    expect(spanOf(batch("b", "c", "d", "a")).keyHashes).toHaveLength(8);
  });

  it("knows the keys of conditions and mutations alike", () => {
    const conditional = (conditionKey: string): Write =>
      kvCommand({
        case: "conditionalBatch",
        value: {
          conditions: [{ key: bytes(conditionKey), version: 1n }],
          mutations: [
            { operation: { case: "put", value: { key: bytes("a"), value: bytes("1") } } },
            { operation: { case: "delete", value: bytes("z") } },
          ],
        },
      }) as Write;
    const span = spanOf(conditional("k"));
    expect(spanCovers(span, conditional("k"))).toBe(true);
    expect(spanCovers(span, conditional("l"))).toBe(false);
  });

  it("holds for a range inside of a deleted one", () => {
    const span = spanOf(deleteRangeCommand("b", "") as Write);
    expect(spanCovers(span, deleteRangeCommand("c", "d") as Write)).toBe(true);
    expect(spanCovers(span, deleteRangeCommand("c", "") as Write)).toBe(true);
    expect(spanCovers(span, deleteRangeCommand("a", "d") as Write)).toBe(false);
  });
});
