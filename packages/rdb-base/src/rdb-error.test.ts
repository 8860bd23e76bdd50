import { expect, test } from "vitest";
import { RdbError, hasCode } from "./rdb-error.ts";

test("an error carries its code, its details and its cause", () => {
  const cause = new Error("inner");
  const error = new RdbError("RDB_NOT_FOUND", "no Region 7", { details: { regionId: 7 }, cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "RdbError",
    code: "RDB_NOT_FOUND",
    details: { regionId: 7 },
    message: "no Region 7",
    cause,
  });
});

test("an error without a cause has none, rather than an undefined one", () => {
  expect("cause" in new RdbError("RDB_INTERNAL", "x")).toBe(false);
  expect(new RdbError("RDB_INTERNAL", "x").details).toEqual({});
});

test("what was caught becomes an RdbError, and one stays what it is", () => {
  const error = new RdbError("RDB_CLOSED", "closed");
  expect(RdbError.from(error)).toBe(error);
  expect(RdbError.from(new TypeError("bad"))).toMatchObject({ code: "RDB_INTERNAL", message: "bad" });
  expect(RdbError.from("text", "RDB_UNAVAILABLE")).toMatchObject({
    code: "RDB_UNAVAILABLE",
    message: "text",
    cause: "text",
  });
});

test("a code is matched on RdbErrors alone", () => {
  expect(hasCode(new RdbError("RDB_CLOSED", "x"), "RDB_CLOSED")).toBe(true);
  expect(hasCode(new RdbError("RDB_CLOSED", "x"), "RDB_ABORTED")).toBe(false);
  expect(hasCode({ code: "RDB_CLOSED" }, "RDB_CLOSED")).toBe(false);
});
