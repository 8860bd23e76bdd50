import { type RdbError, SeededRandom } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { MemoryEngine } from "./memory-engine.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Fixture {
  readonly clock: ManualClock;
  readonly engine: MemoryEngine;
  readonly fatal: RdbError[];
}

function fixture(seed = 1, options: { writeDelayMs?: () => number; passMaxBytes?: number } = {}): Fixture {
  const clock = new ManualClock();
  const fatal: RdbError[] = [];
  const engine = new MemoryEngine({
    clock,
    random: new SeededRandom(seed),
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  return { clock, engine, fatal };
}

function partOf(key: string, value: string | undefined, sync = false): WritePart {
  const part = new WritePart();
  if (value === undefined) {
    part.delete("data", bytes(key));
  } else {
    part.put("data", bytes(key), bytes(value));
  }
  part.sync = sync;
  return part;
}

describe("StreamEngine", () => {
  it("calls back in the order of submission, never within submit", () => {
    const { clock, engine } = fixture();
    const order: number[] = [];
    for (let i = 0; i < 5; i++) {
      engine.submit(partOf(`k${i}`, "v"), () => order.push(i));
    }
    expect(order).toEqual([]);
    clock.runAll();
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("writes in one pass what gathered while a write was under way, with sync if any part asks", () => {
    const { clock, engine } = fixture();
    const syncs: boolean[] = [];
    engine.disk.setWriteDelayMs((sync) => {
      syncs.push(sync);
      return 10;
    });
    engine.submit(partOf("a", "1"));
    clock.runNext();
    engine.submit(partOf("b", "1"));
    engine.submit(partOf("c", "1", true));
    engine.submit(partOf("d", "1"));
    clock.runAll();
    expect(syncs).toEqual([false, true]);
  });

  it("begins a pass when told that nothing more shares it, and not while one is under way", () => {
    const { clock, engine } = fixture();
    const passes: boolean[] = [];
    engine.disk.setWriteDelayMs((sync) => {
      passes.push(sync);
      return 10;
    });
    engine.beginPass();
    engine.submit(partOf("a", "1"));
    engine.beginPass();
    expect(passes).toEqual([false]);
    engine.submit(partOf("b", "1", true));
    engine.beginPass();
    expect(passes).toEqual([false]);
    clock.runAll();
    expect(passes).toEqual([false, true]);
  });

  it("takes no further part into a pass that is full", () => {
    const { clock, engine } = fixture(1, { passMaxBytes: 10 });
    let passes = 0;
    engine.disk.setWriteDelayMs(() => {
      passes++;
      return 0;
    });
    for (let i = 0; i < 4; i++) {
      engine.submit(partOf(`key-${i}`, "value"));
    }
    clock.runAll();
    expect(passes).toBe(4);
  });

  it("counts what is unwritten, and how long the disk has been at it", () => {
    const { clock, engine } = fixture(1, { writeDelayMs: () => 50 });
    expect(engine.passAgeMs()).toBe(0);
    engine.submit(partOf("a", "1"));
    clock.setTimer(20, () => {});
    clock.runNext();
    clock.runNext();
    expect(engine.unwrittenBytes).toBeGreaterThan(0);
    expect(engine.passAgeMs()).toBe(20);
    clock.runAll();
    expect(engine.unwrittenBytes).toBe(0);
    expect(engine.passAgeMs()).toBe(0);
  });

  it("does not take a backlog for a slow disk", () => {
    const { clock, engine } = fixture(1, { writeDelayMs: () => 50 });
    let oldestMs = 0;
    for (let i = 0; i < 20; i++) {
      // Too large to share a pass.
      engine.submit(partOf(`key-${i}`, "x".repeat(5 * 1024 * 1024)));
    }
    while (engine.unwrittenBytes > 0) {
      clock.runNext();
      oldestMs = Math.max(oldestMs, engine.passAgeMs());
    }
    expect(oldestMs).toBeLessThanOrEqual(50);
  });

  it("flushes what is submitted, with a sync even when no part asked for one", async () => {
    const { clock, engine } = fixture();
    engine.submit(partOf("a", "1"));
    engine.deleteRange("data", { startKey: bytes("x"), endKey: bytes("z") });
    await clock.runUntil(engine.flush());
    for (let i = 0; i < 10; i++) {
      expect(engine.crash().get("data", bytes("a"))).toEqual(bytes("1"));
    }
  });

  it("writes before it closes what callbacks submit meanwhile", async () => {
    const { clock, engine } = fixture();
    const written: string[] = [];
    engine.submit(partOf("a", "1"), () => {
      engine.submit(partOf("b", "2"), () => written.push("b"));
    });
    await clock.runUntil(engine.close());
    expect(written).toEqual(["b"]);
    expect(() => engine.submit(partOf("c", "3"))).toThrow("an engine that closes is not written to");
    expect(engine.crash().get("data", bytes("b"))).toEqual(bytes("2"));
  });

  it("acknowledges nothing after a failed write, and reports it once", async () => {
    const { clock, engine, fatal } = fixture();
    const written: string[] = [];
    engine.disk.failWrites("no space left on device");
    engine.submit(partOf("a", "1"), () => written.push("a"));
    const flushed = clock.runUntil(engine.flush());
    await expect(flushed).rejects.toMatchObject({ code: "RDB_STORAGE_FAILED" });
    engine.submit(partOf("b", "1"), () => written.push("b"));
    clock.runAll();
    await expect(engine.flush()).rejects.toMatchObject({ code: "RDB_STORAGE_FAILED" });
    expect(written).toEqual([]);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]?.message).toContain("no space left on device");
  });
});
