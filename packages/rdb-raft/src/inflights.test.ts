import { index } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inflights } from "./inflights.ts";

describe("Inflights", () => {
  it("is full at its limit of messages", () => {
    const inflights = new Inflights(2, 0);
    inflights.add(index(1), 10);
    expect(inflights.full()).toBe(false);
    inflights.add(index(2), 10);
    expect(inflights.full()).toBe(true);
    expect(() => inflights.add(index(3), 10)).toThrow(/full/);
  });

  it("is full once its limit of bytes is reached, and takes the message that goes past it", () => {
    const inflights = new Inflights(10, 100);
    inflights.add(index(1), 99);
    expect(inflights.full()).toBe(false);
    inflights.add(index(2), 1);
    expect(inflights.full()).toBe(true);
    inflights.freeUpTo(index(1));
    inflights.add(index(3), 200);
    expect(inflights.full()).toBe(true);
    inflights.freeUpTo(index(2));
    expect(inflights).toMatchObject({ count: 1, bytes: 200 });
    inflights.freeUpTo(index(3));
    expect(inflights.full()).toBe(false);
  });

  it("frees messages up to an index, and none behind it", () => {
    const inflights = new Inflights(10, 0);
    for (const value of [3, 6, 9]) {
      inflights.add(index(value), value);
    }
    inflights.freeUpTo(index(2));
    expect(inflights.count).toBe(3);
    inflights.freeUpTo(index(7));
    expect(inflights).toMatchObject({ count: 1, bytes: 9 });
    inflights.reset();
    expect(inflights).toMatchObject({ count: 0, bytes: 0 });
  });

  it("behaves as a queue, however its ring has grown and turned", () => {
    const operation = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ free: fc.integer({ min: 0, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const inflights = new Inflights(5, 0);
        let model: number[] = [];
        let last = 0;
        for (const each of operations) {
          if ("free" in each) {
            const to = (model[0] ?? last) + each.free - 1;
            model = model.filter((value) => value > to);
            inflights.freeUpTo(index(Math.max(to, 0)));
          } else if (model.length < 5) {
            last += each.add;
            model.push(last);
            inflights.add(index(last), last);
          }
          expect(inflights.count).toBe(model.length);
          expect(inflights.bytes).toBe(model.reduce((sum, value) => sum + value, 0));
          expect(inflights.full()).toBe(model.length === 5);
        }
      }),
    );
  });
});
