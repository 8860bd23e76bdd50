import { describe, expect, test } from "vitest";
import { BatchWriter, type BatchWriterLimits } from "./batch-writer.ts";

/** A writer of numbers, each as many bytes as it says, whose turns and writes end when the test says so. */
function harness(limits: Partial<BatchWriterLimits> = {}) {
  const frames: number[][] = [];
  const flushes: (() => void)[] = [];
  const writes: (() => void)[] = [];
  const dropped = new Set<number>();
  const writer = new BatchWriter<number>({
    sizeOf: (item) => item,
    encode: (items) => {
      const kept = items.filter((item) => !dropped.has(item));
      return kept.length === 0 ? undefined : Uint8Array.from(kept);
    },
    write: (frame, written) => {
      frames.push([...frame]);
      writes.push(written);
    },
    schedule: (flush) => flushes.push(flush),
    limits,
  });
  const run = (queue: (() => void)[]): void => {
    for (const callback of queue.splice(0)) {
      callback();
    }
  };
  return { writer, frames, dropped, endTurn: () => run(flushes), endWrite: () => run(writes) };
}

describe("BatchWriter", () => {
  test("a turn's items make one frame; what gathers while it is written makes the next", () => {
    const { writer, frames, endTurn, endWrite } = harness();
    writer.release();
    writer.push(1);
    writer.push(2);
    expect(frames).toEqual([]);
    endTurn();
    expect(frames).toEqual([[1, 2]]);
    writer.push(3);
    writer.push(4);
    endTurn();
    expect(frames).toHaveLength(1);
    endWrite();
    expect(frames).toEqual([
      [1, 2],
      [3, 4],
    ]);
    endWrite();
    writer.push(5);
    endTurn();
    expect(frames[2]).toEqual([5]);
  });

  test("nothing is encoded before release", () => {
    const { writer, frames, endTurn } = harness();
    writer.push(1);
    endTurn();
    expect(frames).toEqual([]);
    writer.release();
    expect(frames).toEqual([[1]]);
  });

  test("push refuses past the count and past the bytes, but takes one item of any size", () => {
    const counted = harness({ queueMaxCount: 2 }).writer;
    expect([1, 2, 3].map((item) => counted.push(item))).toEqual([true, true, false]);
    const sized = harness({ queueMaxBytes: 10 }).writer;
    expect(sized.push(100)).toBe(true);
    expect(sized.push(1)).toBe(false);
    expect(sized.queuedCount).toBe(1);
    expect(sized.queuedBytes).toBe(100);
  });

  test("frames are bounded by count and bytes, and keep the order", () => {
    const byCount = harness({ frameMaxCount: 2 });
    byCount.writer.release();
    for (const item of [1, 2, 3, 4, 5]) {
      byCount.writer.push(item);
    }
    byCount.endTurn();
    byCount.endWrite();
    byCount.endWrite();
    expect(byCount.frames).toEqual([[1, 2], [3, 4], [5]]);
    const byBytes = harness({ frameMaxBytes: 10 });
    byBytes.writer.release();
    for (const item of [50, 4, 6, 1]) {
      byBytes.writer.push(item);
    }
    byBytes.endTurn();
    byBytes.endWrite();
    byBytes.endWrite();
    expect(byBytes.frames).toEqual([[50], [4, 6], [1]]);
    expect(byBytes.writer.queuedBytes).toBe(0);
  });

  test("a frame whose items were all withdrawn is not written, and the next follows at once", () => {
    const { writer, frames, dropped, endTurn } = harness({ frameMaxCount: 1 });
    writer.release();
    writer.push(1);
    writer.push(2);
    dropped.add(1);
    endTurn();
    expect(frames).toEqual([[2]]);
  });

  test("drain takes no more and calls back after the last write", () => {
    const { writer, endTurn, endWrite } = harness();
    let drained = 0;
    writer.release();
    writer.push(1);
    writer.drain(() => drained++);
    expect(writer.push(2)).toBe(false);
    endTurn();
    expect(drained).toBe(0);
    endWrite();
    expect(drained).toBe(1);
    const idle = harness().writer;
    idle.release();
    idle.drain(() => drained++);
    expect(drained).toBe(2);
  });

  test("close returns what was never encoded, and a late write callback does nothing", () => {
    const { writer, frames, endTurn, endWrite } = harness();
    writer.release();
    writer.push(1);
    endTurn();
    writer.push(2);
    expect(writer.close()).toEqual([2]);
    endWrite();
    expect(writer.push(3)).toBe(false);
    expect(frames).toEqual([[1]]);
    const scheduled = harness();
    scheduled.writer.release();
    scheduled.writer.push(1);
    scheduled.writer.close();
    scheduled.endTurn();
    expect(scheduled.frames).toEqual([]);
  });
});
