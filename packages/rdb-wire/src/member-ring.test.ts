import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { fromConnectError, toConnectError } from "./error-mapping.ts";
import { MemberRing } from "./member-ring.ts";

function notLeader(leaderAddress?: string): RdbError {
  return new RdbError("RDB_NOT_LEADER", "another member leads", {
    details: leaderAddress === undefined ? {} : { leaderAddress },
  });
}

test("members are asked in turn, and again from the first", () => {
  const ring = new MemberRing(["a:1", "b:1"]);
  const asked = Array.from({ length: 4 }, () => {
    const { current } = ring;
    ring.next(new RdbError("RDB_PD_UNAVAILABLE", "is away"));
    return current;
  });
  expect(asked).toEqual(["a:1", "b:1", "a:1", "b:1"]);
});

test("one that did not answer is passed over for a while, whoever takes it for the leader", () => {
  const ring = new MemberRing(["a:1", "b:1", "c:1"]);
  ring.next(new RdbError("RDB_PD_UNAVAILABLE", "is away"));
  const asked = Array.from({ length: 20 }, () => {
    const { current } = ring;
    ring.next(notLeader("a:1"));
    return current;
  });
  expect(asked.slice(0, 16)).toEqual(Array.from({ length: 8 }, () => ["b:1", "c:1"]).flat());
  expect(asked.slice(16)).toContain("a:1");
});

test("who is said to lead is asked next, also one that was not given", () => {
  const ring = new MemberRing(["a:1", "b:1", "c:1"]);
  ring.next(notLeader("c:1"));
  expect(ring.current).toBe("c:1");
  ring.next(notLeader("d:1"));
  expect(ring.current).toBe("d:1");
  expect(ring.size).toBe(4);
  ring.next();
  expect(ring.current).toBe("a:1");
});

test("a leader without an address, with a wrong one, or that names itself: the next is asked", () => {
  const ring = new MemberRing(["a:1", "b:1", "c:1"]);
  for (const [error, next] of [
    [notLeader(), "b:1"],
    [notLeader("nowhere"), "c:1"],
    [notLeader("c:1"), "a:1"],
  ] as const) {
    ring.next(error);
    expect(ring.current).toBe(next);
  }
});

test("what is learned is bounded, and what was given stays", () => {
  const ring = new MemberRing(["a:1"]);
  for (let port = 2; port < 100; port++) {
    ring.next(notLeader(`b:${port}`));
    expect(ring.current).toBe(`b:${port}`);
  }
  expect(ring.size).toBe(9);
  ring.next();
  expect(ring.current).toBe("a:1");
});

test("a round asks a lone member once, several once more than there are, and who was learned too", () => {
  const rounds = (ring: MemberRing): number => {
    let count = 0;
    while (ring.mayAsk(count)) {
      count++;
    }
    return count;
  };
  expect(rounds(new MemberRing(["a:1"]))).toBe(1);
  expect(rounds(new MemberRing(["a:1", "b:1", "c:1"]))).toBe(4);
  const ring = new MemberRing(["a:1"]);
  ring.next(notLeader("b:1"));
  expect(ring.mayAsk(1)).toBe(true);
});

test("no address at all is refused", () => {
  expect(() => new MemberRing([])).toThrow("no address of a placement driver is given");
});

test("the leader's address travels with the refusal", () => {
  const error = fromConnectError(toConnectError(notLeader("127.0.0.1:7400")));
  expect(error).toMatchObject({ code: "RDB_NOT_LEADER", details: { leaderAddress: "127.0.0.1:7400" } });
});
