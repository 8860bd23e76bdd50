import { beforeEach, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { IdReserve } from "./id-reserve.ts";

let leases: { readonly firstId: number; readonly count: number }[];
let errors: unknown[];
let isDown: boolean;
let reserve: IdReserve;

beforeEach(async () => {
  leases = [];
  errors = [];
  isDown = false;
  let nextId = 100;
  reserve = new IdReserve(
    (count) => {
      if (isDown) {
        return Promise.reject(new Error("the log is away"));
      }
      leases.push({ firstId: nextId, count });
      nextId += count + 7;
      return Promise.resolve(nextId - count - 7);
    },
    (error) => errors.push(error),
  );
  await reserve.fill();
});

test("gives every id once, and fetches more before it runs out", async () => {
  const taken = new Set<number>();
  for (let count = 0; count < 3 * pdLimits.idReserveCount; count++) {
    const id = reserve.take();
    expect(id).toBeDefined();
    taken.add(id ?? 0);
    await Promise.resolve();
  }
  expect(taken.size).toBe(3 * pdLimits.idReserveCount);
  const isLeased = (id: number): boolean =>
    leases.some(({ firstId, count }) => id >= firstId && id < firstId + count);
  expect([...taken].every(isLeased)).toBe(true);
});

test("says that it has none while the log is away, and has some again after", async () => {
  isDown = true;
  for (let count = 0; count < pdLimits.idReserveCount; count++) {
    reserve.take();
  }
  expect(reserve.take()).toBeUndefined();
  await Promise.resolve();
  expect(errors.length).toBeGreaterThan(0);
  isDown = false;
  await reserve.fill();
  expect(reserve.take()).toBeDefined();
});

test("what was drawn for nothing is given again, what was kept is not", () => {
  const first = [reserve.draw(), reserve.draw()];
  reserve.returnDrawn();
  const second = [reserve.draw(), reserve.draw()];
  expect(second).toEqual(first);
  reserve.keepDrawn();
  reserve.returnDrawn();
  expect(first).not.toContain(reserve.take());
});

test("who waits for ids that are on their way has them after", async () => {
  let nextId = 1;
  const slow = new IdReserve(
    async (count) => {
      await new Promise((resolve) => setImmediate(resolve));
      nextId += count;
      return nextId - count;
    },
    (error) => errors.push(error),
  );
  void slow.fill();
  await slow.fill();
  expect(slow.count).toBe(pdLimits.idReserveCount);
});
