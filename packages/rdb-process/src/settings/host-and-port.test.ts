import { describe, expect, it } from "vitest";
import { hostAndPort, isEveryAddress, reachableHostAndPort, reachedAt } from "./host-and-port.ts";

describe("a HOST:PORT", () => {
  it.each(["a:1", "127.0.0.1:7400", "[::1]:65535", "0.0.0.0:7400"])("%s is one", (text) => {
    expect(hostAndPort.safeParse(text).success).toBe(true);
  });

  it.each(["a", "a:0", "a:65536", "::1:7400", "http://a:1", "a b:1", ":1"])("%s is none", (text) => {
    expect(hostAndPort.safeParse(text).success).toBe(false);
  });
});

it.each(["0.0.0.0", "::", "0:0:0:0:0:0:0:0"])("%s is every address", (host) => {
  expect(isEveryAddress(host)).toBe(true);
});

it.each(["0.0.0.0:7400", "[::]:7400", "[0::0]:7400"])("%s cannot be told to others", (text) => {
  expect(reachableHostAndPort.safeParse(text).success).toBe(false);
});

it.each(["10.0.0.1:7400", "[::1]:7400", "store-1:7400"])("%s can be told to others", (text) => {
  expect(reachableHostAndPort.safeParse(text).success).toBe(true);
});

it.each([
  ["10.0.0.1:7420", "store-1:7410", "10.0.0.1:7420"],
  ["0.0.0.0:7420", "store-1:7410", "store-1:7420"],
  ["[::]:7420", "[fd00::1]:7410", "[fd00::1]:7420"],
])("what listens on %s and advertises %s is reached at %s", (listened, advertised, reached) => {
  expect(reachedAt(listened, advertised)).toBe(reached);
});
