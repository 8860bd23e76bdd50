import { expect, test } from "vitest";
import { SimClock } from "../../testing/index.ts";
import { HashingSlots } from "./hashing-slots.ts";

test("gives so many places and no more, and each back once", () => {
  const slots = new HashingSlots(new SimClock());
  const taken: (() => void)[] = [];
  for (let place = slots.reserve(); place !== undefined; place = slots.reserve()) {
    taken.push(place);
  }
  expect(taken).toHaveLength(16);
  taken[0]?.();
  expect(slots.reserve()).toBeDefined();
  expect(slots.reserve()).toBeUndefined();
});
