import { expect, test } from "vitest";
import { TakenIds } from "./taken-ids.ts";

test("an id that comes twice is noticed, in whatever order they come", () => {
  const ids = new TakenIds();
  ids.note(100n, 10);
  ids.note(110n, 5);
  ids.note(90n, 10);
  for (const [firstId, count] of [
    [109n, 1],
    [80n, 11],
    [95n, 100],
    [112n, 1],
  ] as const) {
    expect(() => ids.note(firstId, count)).toThrow("PD gave out ids twice");
  }
  ids.note(115n, 1);
});
