import { regionId, storeId } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import type { StoreView } from "../cluster/cluster-state.ts";
import { pdLimits } from "../limits.ts";
import { EventHub, type EventQueue } from "./event-hub.ts";
import { StoreWatch } from "./store-watch.ts";

const changed = { kind: "region", regionId: regionId(7) } as const;

async function readAll(queue: EventQueue): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { number } of queue) {
    numbers.push(number);
  }
  return numbers;
}

test("a reader gets all from its subscription on, in order, until it goes", async () => {
  const hub = new EventHub();
  hub.emit(changed);
  const queue = hub.subscribe();
  const next = queue[Symbol.asyncIterator]();
  hub.emit(changed);
  hub.emit({ kind: "store", storeId: storeId(1) });
  expect((await next.next()).value).toEqual({ ...changed, number: 2 });
  expect((await next.next()).value).toEqual({ kind: "store", storeId: 1, number: 3 });
  hub.release(queue);
  expect(hub.hasReaders).toBe(false);
  expect((await next.next()).done).toBe(true);
});

test("a reader that is too far behind is dropped with a reason, and the others go on", async () => {
  const hub = new EventHub();
  const slow = hub.subscribe();
  for (let count = 0; count < pdLimits.eventQueueMaxCount; count++) {
    hub.emit(changed);
  }
  const fast = hub.subscribe();
  expect(slow.isEnded).toBe(false);
  hub.emit(changed);
  await expect(readAll(slow)).rejects.toMatchObject({
    code: "RDB_SERVER_IS_BUSY",
    message: expect.stringContaining(`${pdLimits.eventQueueMaxCount} events behind`),
  });
  expect((await fast[Symbol.asyncIterator]().next()).value).toMatchObject({
    number: pdLimits.eventQueueMaxCount + 1,
  });
});

test("there are only so many readers; one that goes makes room", () => {
  const hub = new EventHub();
  const queues = Array.from({ length: pdLimits.eventReaderMaxCount }, () => hub.subscribe());
  expect(() => hub.subscribe()).toThrow(/eventReaderMaxCount is 32/);
  hub.release(queues[0] as EventQueue);
  expect(hub.subscribe().isEnded).toBe(false);
});

test("readers hear that this member leads no more", async () => {
  const hub = new EventHub();
  const reading = readAll(hub.subscribe());
  hub.close();
  await expect(reading).rejects.toMatchObject({ code: "RDB_NOT_LEADER" });
  expect(hub.hasReaders).toBe(false);
});

test("a Store is told of when its state is another one than before, and not while nobody watches", async () => {
  const hub = new EventHub();
  const watch = new StoreWatch(hub);
  const view = (condition: string): readonly StoreView[] => [
    { store: { id: storeId(4), labels: {} }, condition } as unknown as StoreView,
  ];
  watch.look(() => {
    throw new Error("nobody watches");
  });
  const next = hub.subscribe()[Symbol.asyncIterator]();
  for (const condition of ["Up", "Up", "Disconnected"]) {
    watch.look(() => view(condition));
  }
  expect((await next.next()).value).toEqual({ kind: "store", storeId: 4, number: 1 });
});
