import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { CommandQueue } from "./command-queue.ts";

async function drain<Item>(queue: CommandQueue<Item>, into: Item[]): Promise<void> {
  for await (const item of queue) {
    into.push(item);
  }
}

test("the reader gets what is pushed, in order, whenever it is pushed", async () => {
  const queue = new CommandQueue<number>(10);
  const got: number[] = [];
  queue.push(1);
  const reading = drain(queue, got);
  for (let item = 2; item <= 50; item++) {
    expect(queue.push(item)).toBe(true);
    if (item % 7 === 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
  queue.end();
  await reading;
  expect(got).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
});

test("past its limit it refuses, and takes again once the reader came by", async () => {
  const queue = new CommandQueue<number>(2);
  expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
  const iterator = queue[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toBe(1);
  expect(queue.push(4)).toBe(true);
  expect((await iterator.next()).value).toBe(2);
  expect((await iterator.next()).value).toBe(4);
});

test("an error ends the reader with it, and what comes later is refused", async () => {
  const queue = new CommandQueue<number>(2);
  const reading = drain(queue, []);
  queue.end(new RdbError("RDB_CLOSED", "over"));
  queue.end();
  await expect(reading).rejects.toThrow("over");
  expect(queue.push(1)).toBe(false);
  expect(queue.isEnded).toBe(true);
});
