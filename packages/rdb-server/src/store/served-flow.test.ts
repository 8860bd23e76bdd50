import { durationBucket } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { ServedFlow } from "./served-flow.ts";
import type { RegionStatus } from "./store-handle.ts";

test("all requests are counted, and those that are timed by when their answer was given", () => {
  let nowMs = 1_000;
  const flow = new ServedFlow(() => nowMs);
  const answered: unknown[] = [];
  const answers = [true, false, false].map((isTimed) =>
    flow.accept(true, isTimed, (response) => answered.push(response)),
  );
  flow.accept(false, false, () => {});
  nowMs += 40;
  for (const answer of answers) {
    answer({} as never);
  }
  const { reads, writes } = flow.flow([]);
  expect(answered).toHaveLength(3);
  expect([reads.count, writes.count]).toEqual([3, 1]);
  expect(reads.durations[durationBucket(40)]).toBe(1);
  expect(reads.durations.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(flow.counts).toEqual({ putCount: 1, getCount: 3 });
});

test("only Regions that are led here and asked for something are told of", () => {
  const status = (id: number, isLeader: boolean, keys: number): RegionStatus =>
    ({
      region: { id },
      isLeader,
      load: {
        writtenBytesPerSecond: keys * 100,
        writtenKeysPerSecond: keys,
        readBytesPerSecond: 0,
        readKeysPerSecond: 0,
      },
    }) as never;
  const { regions } = new ServedFlow(() => 0).flow([
    status(1, true, 2.5),
    status(2, true, 0),
    status(3, false, 9),
  ]);
  expect(regions).toEqual([{ id: 1, writtenBytes: 250, writtenKeys: 2.5, readBytes: 0, readKeys: 0 }]);
});
