import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, RdbError, errorCodes } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { fromConnectError, toConnectError } from "./error-mapping.ts";
import { errorFromTrailers, statusTrailers } from "./grpc-status.ts";

const codes = Object.keys(errorCodes) as ErrorCode[];

describe("error mapping", () => {
  test.each(codes)("%s survives the way through connect and through trailers", (code) => {
    const error = new RdbError(code, `it failed: 100 % “so”`);
    expect(fromConnectError(toConnectError(error))).toMatchObject({ code, message: error.message });
    expect(errorFromTrailers(statusTrailers(error))).toMatchObject({ code, message: error.message });
  });

  test("what gRPC says may be retried was not applied", () => {
    for (const code of codes) {
      if (toConnectError(new RdbError(code, "x")).code === Code.Unavailable) {
        expect([code, errorCodes[code].write]).toEqual([code, "not applied"]);
      }
    }
  });

  test("statuses without our code are read as gRPC means them", () => {
    const read = (code: Code): ErrorCode => fromConnectError(new ConnectError("x", code)).code;
    expect(read(Code.Unavailable)).toBe("RDB_UNAVAILABLE");
    expect(read(Code.DeadlineExceeded)).toBe("RDB_DEADLINE_EXCEEDED");
    expect(read(Code.Unimplemented)).toBe("RDB_INTERNAL");
    expect(errorFromTrailers({ "grpc-status": "3", "grpc-message": "50% off" })).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: "50% off",
    });
    expect(errorFromTrailers({ "grpc-status": "0" })).toBeUndefined();
    expect(errorFromTrailers({})).toBe("missing");
    expect(errorFromTrailers({ "grpc-status": "77" })).toMatchObject({ code: "RDB_INTERNAL" });
  });

  test("an unknown rdb-code falls back to the status", () => {
    const error = new ConnectError("x", Code.NotFound, { "rdb-code": "RDB_FROM_THE_FUTURE" });
    expect(fromConnectError(error).code).toBe("RDB_NOT_FOUND");
  });
});
