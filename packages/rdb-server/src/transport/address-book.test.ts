import { create } from "@bufbuild/protobuf";
import { silentLogger, storeId } from "@flaredb/rdb-base";
import { type Store, StoreSchema, StoreState } from "@flaredb/rdb-proto";
import type { Engine, WritePart } from "@flaredb/rdb-storage";
import { expect, test } from "vitest";
import { AddressBook } from "./address-book.ts";

/** Just enough of an engine: what is submitted is there. */
function fakeEngine(): Pick<Engine, "get" | "submit"> & { submitCount: number } {
  const rows = new Map<string, Uint8Array>();
  return {
    submitCount: 0,
    get: (column, key) => rows.get(`${column} ${Buffer.from(key).toString()}`),
    submit(part: WritePart) {
      this.submitCount++;
      for (const op of part.ops) {
        rows.set(`${op.column} ${Buffer.from(op.key).toString()}`, op.value as Uint8Array);
      }
    },
  };
}

function store(id: number, address: string, state: StoreState = StoreState.UP): Store {
  return create(StoreSchema, { id: BigInt(id), address, state });
}

test("PD's list is the truth, and is there after a restart without PD", () => {
  const engine = fakeEngine();
  const book = new AddressBook(engine, silentLogger);
  expect(book.addressOf(storeId(1))).toBeUndefined();
  book.update([store(1, "127.0.0.1:7410"), store(2, "[::1]:7411")]);
  book.update([store(2, "[::1]:7499"), store(3, "a:1")]);

  const restarted = new AddressBook(engine, silentLogger);
  expect([...restarted.entries()]).toEqual([
    [2, "[::1]:7499"],
    [3, "a:1"],
  ]);
});

test("a Store that is gone for good, or whose address cannot be read, is not in it", () => {
  const book = new AddressBook(fakeEngine(), silentLogger);
  book.update([store(1, "a:1", StoreState.TOMBSTONE), store(2, "nonsense"), store(3, "a:3"), store(4, "")]);
  expect([...book.entries()]).toEqual([[3, "a:3"]]);
});

test("listeners hear of changed addresses only, and nothing else is written", () => {
  const engine = fakeEngine();
  const book = new AddressBook(engine, silentLogger);
  let calls = 0;
  const stop = book.onChange(() => calls++);
  book.update([store(1, "a:1")]);
  book.update([store(1, "a:1", StoreState.DISCONNECTED)]);
  expect(calls).toBe(1);
  expect(engine.submitCount).toBe(1);
  book.update([store(1, "a:2")]);
  expect(calls).toBe(2);
  stop();
  book.update([]);
  expect(calls).toBe(2);
});
