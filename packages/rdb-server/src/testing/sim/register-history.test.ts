import { describe, expect, it } from "vitest";
import { type RegisterCall, findRegisterViolation } from "./register-history.ts";

const write = (value: string | undefined, startMs: number, endMs: number): RegisterCall => ({
  kind: "write",
  value,
  startMs,
  endMs,
});
const read = (value: string | undefined, startMs: number, endMs: number): RegisterCall => ({
  kind: "read",
  value,
  startMs,
  endMs,
});
const NEVER = Number.POSITIVE_INFINITY;

describe("findRegisterViolation", () => {
  it("accepts calls one after the other that see each other", () => {
    const history = [
      read(undefined, 0, 1),
      write("a", 2, 3),
      read("a", 4, 5),
      write(undefined, 6, 7),
      read(undefined, 8, 9),
    ];
    expect(findRegisterViolation(history)).toBeUndefined();
  });

  it("finds a read of an older value than one that was acknowledged before it", () => {
    expect(findRegisterViolation([write("a", 0, 1), write("b", 2, 3), read("a", 4, 5)])).toContain('"a"');
  });

  it("finds a write that got lost", () => {
    expect(findRegisterViolation([write("a", 0, 1), read(undefined, 2, 3)])).toBeDefined();
  });

  it("finds two reads that go back in time though each alone could be right", () => {
    const concurrent = write("b", 0, 10);
    expect(
      findRegisterViolation([write("a", -2, -1), concurrent, read("b", 1, 2), read("a", 3, 4)]),
    ).toBeDefined();
    expect(
      findRegisterViolation([write("a", -2, -1), concurrent, read("a", 1, 2), read("b", 3, 4)]),
    ).toBeUndefined();
  });

  it("lets an unanswered write take effect late, or never", () => {
    const lost = write("x", 0, NEVER);
    expect(findRegisterViolation([lost, read(undefined, 1, 2), read("x", 5, 6)])).toBeUndefined();
    expect(findRegisterViolation([lost, read(undefined, 1, 2)])).toBeUndefined();
    expect(findRegisterViolation([lost, read("x", 1, 2), read(undefined, 3, 4)])).toBeDefined();
  });

  it("holds a compare-and-swap to what it answered", () => {
    const cas = (succeeded: boolean | undefined): RegisterCall => ({
      kind: "cas",
      expected: "a",
      value: "b",
      succeeded,
      startMs: 2,
      endMs: succeeded === undefined ? NEVER : 3,
    });
    expect(findRegisterViolation([write("a", 0, 1), cas(true), read("b", 4, 5)])).toBeUndefined();
    expect(findRegisterViolation([write("a", 0, 1), cas(false), read("a", 4, 5)])).toBeDefined();
    expect(findRegisterViolation([write("c", 0, 1), cas(true), read("b", 4, 5)])).toBeDefined();
    expect(
      findRegisterViolation([write("a", 0, 1), cas(undefined), read("a", 4, 5), read("b", 6, 7)]),
    ).toBeUndefined();
  });
});
