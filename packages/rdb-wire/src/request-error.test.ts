import { Code, ConnectError } from "@connectrpc/connect";
import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { fromRequestError } from "./error-mapping.ts";

test("bytes that are no message are the caller's fault; anything else stays what it is", () => {
  const unreadable = new ConnectError("parse binary: premature EOF", Code.Internal);
  expect(fromRequestError(unreadable)).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
  expect(fromRequestError(new TypeError("x is not a function"))).toMatchObject({ code: "RDB_INTERNAL" });
  expect(fromRequestError(new RdbError("RDB_NOT_FOUND", "no Region"))).toMatchObject({
    code: "RDB_NOT_FOUND",
  });
});
