import { create, toBinary } from "@bufbuild/protobuf";
import { BatchRequestSchema } from "@flaredb/rdb-proto";
import { beforeEach, expect, test } from "vitest";
import { UsedIdentities } from "./used-identities.ts";

let used: UsedIdentities;

beforeEach(() => {
  used = new UsedIdentities();
  used.started("client-1");
});

function batch(...sequences: number[]): Uint8Array {
  const requests = sequences.map((sequence, place) => ({ requestId: place + 1, sequence }));
  return toBinary(BatchRequestSchema, create(BatchRequestSchema, { regions: [{ requests }] }));
}

test("a copy may come once all of its writes are answered; reads always", () => {
  const mayRepeat = used.mayRepeat("client-1", batch(4, 0, 5));
  expect(mayRepeat()).toBe(false);
  used.answered("client-1", { sequence: 4 });
  used.answered("client-1", { sequence: undefined });
  expect(mayRepeat()).toBe(false);
  used.answered("client-1", { sequence: 5 });
  expect(mayRepeat()).toBe(true);
  expect(used.mayRepeat("client-2", batch(0))()).toBe(true);
});

test("a client that starts anew uses up its own identities, not those of the one before", () => {
  const ofTheOldOne = used.mayRepeat("client-1", batch(1));
  used.started("client-1");
  used.answered("client-1", { sequence: 1 });
  expect(ofTheOldOne()).toBe(false);
  expect(used.mayRepeat("client-1", batch(1))()).toBe(true);
});
