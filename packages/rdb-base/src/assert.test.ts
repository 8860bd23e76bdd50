import { expect, test } from "vitest";
import { AssertionError, assert, assertNever } from "./assert.ts";

test("an invariant that holds is passed; one that does not is told in words", () => {
  assert(true, "applied <= commit");
  expect(() => assert(false, "applied <= commit")).toThrow(new AssertionError("applied <= commit"));
  expect(() => assert(false, "applied <= commit")).toThrow("assertion failed: applied <= commit");
});

test("a value that no case handled is shown", () => {
  expect(() => assertNever({ kind: "new" } as never, "message")).toThrow(
    'unexpected message: {"kind":"new"}',
  );
});
