import type { Random } from "@flaredb/rdb-base";
import type { RdbClient } from "@flaredb/rdb-client";
import { benchRange, KeySpace } from "./key-space.ts";
import type { BenchOptions } from "./options.ts";

/** One kind of call, made again and again. */
export interface Operation<Answer> {
  /** Begins a call with a key of the key space. */
  call(): Promise<Answer>;
  /** How many rows an answer says were written or found. */
  rowCount(answer: Answer): number;
}

/** What a benchmark needs of the SDK. */
export type BenchClient = Pick<RdbClient, "get" | "put" | "scan" | "batchGet" | "batchPut">;

/** The operation that was asked for. Calls take the client's own deadline: options cost each of them. */
export function makeOperation(
  client: BenchClient,
  options: BenchOptions,
  random: Random,
): Operation<unknown> {
  const space = new KeySpace(options, random);
  const put = () => client.put(space.drawKey(), space.nextValue());
  const get = () => client.get(space.drawKey());
  const { kind, readShare, batchSize } = options;
  switch (kind) {
    case "put":
      return { call: put, rowCount: oneOrNone };
    case "get":
      return { call: get, rowCount: oneOrNone };
    case "mixed":
      return { call: () => (random.nextFraction() < readShare ? get() : put()), rowCount: oneOrNone };
    case "scan":
      return scanOperation(client, options, space) as Operation<unknown>;
    case "batch-put":
      return {
        call: () => client.batchPut(drawRows(space, batchSize)),
        rowCount: () => batchSize,
      };
    case "batch-get":
      return {
        call: () => client.batchGet(drawKeys(space, batchSize)),
        rowCount: (answer) => countFound(answer as readonly unknown[]),
      };
  }
}

// A put answers its version, a get its row or nothing.
function oneOrNone(answer: unknown): number {
  return answer === undefined ? 0 : 1;
}

function countFound(rows: readonly unknown[]): number {
  let count = 0;
  for (const row of rows) {
    count += oneOrNone(row);
  }
  return count;
}

function scanOperation(
  client: BenchClient,
  { limit, pageSize }: BenchOptions,
  space: KeySpace,
): Operation<number> {
  const call = async (): Promise<number> => {
    const start = space.key(space.drawRun(limit));
    const scan = client.scan({ start, end: benchRange.endKey, limit, pageSize });
    let count = 0;
    for await (const page of scan.pages()) {
      count += page.length;
    }
    return count;
  };
  return { call, rowCount: (count) => count };
}

// Random keys, which may lie in several Regions. A key drawn twice is written twice, in order.
function drawKeys(space: KeySpace, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => space.drawKey());
}

function drawRows(space: KeySpace, count: number): { key: Uint8Array; value: Uint8Array }[] {
  return Array.from({ length: count }, () => ({ key: space.drawKey(), value: space.nextValue() }));
}
