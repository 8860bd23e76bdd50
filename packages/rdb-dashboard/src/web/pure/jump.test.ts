import { expect, test } from "vitest";
import { parseJump } from "./jump.ts";

test.for([
  ["7", { kind: "region", id: 7 }],
  ["Region 12", { kind: "region", id: 12 }],
  ["store 2", { kind: "store", id: 2 }],
  ["s2", { kind: "store", id: 2 }],
  ["city/FR/Paris", { kind: "key", key: "city/FR/Paris" }],
  // A key of digits is asked for by name.
  ["key 7", { kind: "key", key: "7" }],
  ["region x", { kind: "key", key: "region x" }],
  ["  ", undefined],
] as const)("%s leads to %o", ([text, jump]) => {
  expect(parseJump(text)).toEqual(jump);
});
