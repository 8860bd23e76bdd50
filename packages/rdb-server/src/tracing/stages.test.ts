import { describe, expect, it } from "vitest";
import { type RequestTimes, stagesOf } from "./stages.ts";

const arrived: RequestTimes = { arrivedMs: 10, timeline: undefined, servedMs: 0, servedBy: undefined };

/** Stages as name, start, end. */
function stages(times: Partial<RequestTimes>): unknown[] {
  return stagesOf({ ...arrived, ...times }, 50).map(({ name, startMs, endMs }) => [name, startMs, endMs]);
}

describe("the stages of a write", () => {
  it("begin where the one before ended; append and commit begin together", () => {
    const timeline = { proposedMs: 12, durableMs: 20, committedMs: 30 };
    expect(stages({ timeline })).toEqual([
      ["rdb.store.queue", 10, 12],
      ["rdb.raft.append", 12, 20],
      ["rdb.raft.commit", 12, 30],
      ["rdb.store.apply", 30, 50],
    ]);
  });

  it("that nobody committed end with the answer", () => {
    expect(stages({ timeline: { proposedMs: 12, durableMs: 0, committedMs: 0 } })).toEqual([
      ["rdb.store.queue", 10, 12],
      ["rdb.raft.append", 12, 50],
      ["rdb.raft.commit", 12, 50],
    ]);
  });

  it("that was never proposed are its wait", () => {
    expect(stages({})).toEqual([["rdb.store.queue", 10, 50]]);
  });
});

describe("the stages of a read", () => {
  it.each([
    ["lease", "rdb.store.lease"],
    ["read_index", "rdb.store.read_index"],
    ["follower", "rdb.store.follower_read"],
  ] as const)("on the word of %s", (servedBy, name) => {
    expect(stages({ servedBy, servedMs: 15 })).toEqual([
      [name, 10, 15],
      ["rdb.store.read", 15, 50],
    ]);
  });
});
