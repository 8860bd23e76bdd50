import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { IdAllocator } from "./allocator.ts";

/** A durable sequence, and what was taken from it. */
function sequence(firstId = 1): { leases: number[]; lease: (count: number) => Promise<number> } {
  let nextId = firstId;
  const leases: number[] = [];
  return {
    leases,
    lease(count) {
      const first = nextId;
      nextId += count;
      leases.push(count);
      return Promise.resolve(first);
    },
  };
}

test("SPEC-M7: ids are given out in order from one lease, and the next lease is taken when it is used up", async () => {
  const durable = sequence();
  const ids = new IdAllocator(durable.lease);
  expect(await ids.allocate(3)).toBe(1);
  expect(await ids.allocate(996)).toBe(4);
  expect(durable.leases).toEqual([1_000]);
  expect(await ids.allocate(2)).toBe(1_000);
  expect(durable.leases).toEqual([1_000, 1_000]);
});

test("SPEC-M7: callers at the same time never share an id, and do not lease for each other", async () => {
  const durable = sequence();
  const ids = new IdAllocator(durable.lease);
  const firsts = await Promise.all(Array.from({ length: 500 }, () => ids.allocate(3)));
  expect(new Set(firsts.flatMap((first) => [first, first + 1, first + 2])).size).toBe(1_500);
  expect(durable.leases).toEqual([1_000, 1_000]);
});

test("SPEC-M7: ids of one answer are consecutive, even where somebody else leased in between", async () => {
  const durable = sequence();
  const ids = new IdAllocator(durable.lease);
  await ids.allocate(995);
  await durable.lease(50);
  expect(await ids.allocate(10)).toBe(1_051);
});

test("a lease that fails is told to its caller alone", async () => {
  const durable = sequence();
  let fails = true;
  const ids = new IdAllocator((count) =>
    fails ? Promise.reject(new RdbError("RDB_SERVER_IS_BUSY", "busy")) : durable.lease(count),
  );
  await expect(ids.allocate(1)).rejects.toThrow("busy");
  fails = false;
  expect(await ids.allocate(1)).toBe(1);
});

test.each([0, -1, 1.5, pdLimits.allocateMaxCount + 1])("count %s is refused", async (count) => {
  const durable = sequence();
  await expect(new IdAllocator(durable.lease).allocate(count)).rejects.toThrow(
    `count ${count} must be 1 to 10000`,
  );
  expect(durable.leases).toEqual([]);
});

test("the largest allocation is one lease", async () => {
  const durable = sequence();
  expect(await new IdAllocator(durable.lease).allocate(pdLimits.allocateMaxCount)).toBe(1);
  expect(durable.leases).toEqual([pdLimits.allocateMaxCount]);
});
