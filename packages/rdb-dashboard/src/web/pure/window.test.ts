import fc from "fast-check";
import { expect, test } from "vitest";
import { rowWindow } from "./window.ts";

test("every seen row is drawn, and never many more, however long the table is", () => {
  const input = fc.record({
    rowCount: fc.nat(100_000),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    height: fc.integer({ min: 1, max: 2_000 }),
  });
  fc.assert(
    fc.property(input, ({ rowCount, at, height }) => {
      const rowHeight = 32;
      const scrollTop = at * Math.max(0, rowCount * rowHeight - height);
      const { start, end } = rowWindow(rowCount, { scrollTop, height, rowHeight });
      expect(start).toBeLessThanOrEqual(Math.floor(scrollTop / rowHeight));
      expect(end).toBeGreaterThanOrEqual(Math.min(rowCount, Math.ceil((scrollTop + height) / rowHeight)));
      expect(end - start).toBeLessThanOrEqual(height / rowHeight + 18);
    }),
  );
});

test("a table that became shorter than where it was scrolled to draws nothing rather than failing", () => {
  expect(rowWindow(3, { scrollTop: 5_000, height: 400, rowHeight: 32 })).toEqual({ start: 3, end: 3 });
});
