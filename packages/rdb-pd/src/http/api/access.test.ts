import { expect, test } from "vitest";
import { accessRefusal } from "./access.ts";

const token = "0123456789abcdef";

test.each([
  [{ host: "127.0.0.1:7401" }, undefined],
  [{ host: "localhost:7401" }, undefined],
  [{ host: "[::1]:7401", origin: "http://[::1]:7401" }, undefined],
  [{ host: "pd.evil.example:7401" }, "RDB_PERMISSION_DENIED"],
  [{}, "RDB_PERMISSION_DENIED"],
  [{ host: "127.0.0.1:7401", origin: "http://127.0.0.1:8080" }, "RDB_PERMISSION_DENIED"],
  [{ host: "127.0.0.1:7401", origin: "null" }, "RDB_PERMISSION_DENIED"],
])("without a token on loopback, headers %j are refused with %s", (headers, code) => {
  expect(accessRefusal({ token: undefined, host: "127.0.0.1" }, headers)?.code).toBe(code);
});

test("without a token beyond loopback nobody is answered, and it says what to do", () => {
  const refusal = accessRefusal({ token: undefined, host: "0.0.0.0" }, { host: "127.0.0.1:7401" });
  expect(refusal).toMatchObject({
    code: "RDB_PERMISSION_DENIED",
    message: expect.stringContaining("--admin-token-file"),
  });
});

test.each([
  [`Bearer ${token}`, undefined],
  [`bearer  ${token}`, undefined],
  [`Bearer ${token}x`, "RDB_UNAUTHENTICATED"],
  [`Bearer ${token.slice(0, -1)}`, "RDB_UNAUTHENTICATED"],
  [`Basic ${token}`, "RDB_UNAUTHENTICATED"],
  [token, "RDB_UNAUTHENTICATED"],
  ["", "RDB_UNAUTHENTICATED"],
  [undefined, "RDB_UNAUTHENTICATED"],
])("with a token, authorization %j is refused with %s, whoever asks from wherever", (authorization, code) => {
  const headers = { host: "pd.example:7401", origin: "http://other.example", authorization };
  expect(accessRefusal({ token, host: "0.0.0.0" }, headers)?.code).toBe(code);
  expect(accessRefusal({ token, host: "127.0.0.1" }, headers)?.code).toBe(code);
});
