import { FULL_RANGE, SeededRandom } from "@flaredb/rdb-base";
import { ProcessClock, SimClock } from "@flaredb/rdb-server/testing";
import { StreamEngine, WritePart } from "@flaredb/rdb-storage";
import { describe, expect, test } from "vitest";
import { SimDisk } from "./sim-disk.ts";

const key = (name: string): Uint8Array => Buffer.from(name);

/** A machine whose process may die at any time. */
class Machine {
  readonly clock = new SimClock();
  readonly events: string[] = [];
  readonly disk: SimDisk;
  process = new ProcessClock(this.clock);
  engine: StreamEngine;
  fatal: string | undefined;
  readonly written: string[] = [];

  constructor(seed = 1) {
    this.disk = new SimDisk({
      clock: this.clock,
      random: new SeededRandom(seed),
      syncMs: [1, 2],
      onEvent: (event, writeCount) => this.events.push(`${event} ${writeCount}`),
    });
    this.engine = this.open();
  }

  open(): StreamEngine {
    return new StreamEngine(this.disk.open(this.process), {
      clock: this.process,
      onFatal: (error) => {
        this.fatal = error.message;
      },
    });
  }

  put(name: string, sync: boolean): void {
    const part = new WritePart();
    part.put("data", key(name), key("value"));
    part.sync = sync;
    this.engine.submit(part, () => this.written.push(name));
  }

  deleteAll(): void {
    this.engine.deleteRange("data", FULL_RANGE);
  }

  crash(): void {
    this.process.kill();
    this.disk.crash();
  }

  restart(): void {
    this.process = new ProcessClock(this.clock);
    this.engine = this.open();
  }

  has(name: string): boolean {
    return this.engine.get("data", key(name)) !== undefined;
  }
}

describe("a disk", () => {
  test("keeps what was synced through a crash, and of the rest a beginning", async () => {
    const kept = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const machine = new Machine(seed);
      machine.put("a", true);
      await machine.clock.run(10);
      for (const name of ["b", "c", "d"]) {
        machine.put(name, false);
        await machine.clock.run(10);
      }
      machine.crash();
      machine.restart();
      kept.add(["a", "b", "c", "d"].filter((name) => machine.has(name)).join(""));
    }
    expect([...kept].sort()).toEqual(["a", "ab", "abc", "abcd"]);
  });

  test("dies at the write that it was told, which a torn one may have lost", async () => {
    const kept = new Set<boolean>();
    for (let seed = 0; seed < 20; seed++) {
      const machine = new Machine(seed);
      machine.disk.crashAtWrite(2, "torn", () => machine.crash());
      machine.put("a", true);
      await machine.clock.run(10);
      machine.put("b", true);
      await machine.clock.run(10);
      expect(machine.written).toEqual(["a"]);
      expect(machine.process.isDead).toBe(true);
      machine.restart();
      expect(machine.has("a")).toBe(true);
      kept.add(machine.has("b"));
    }
    expect(kept.size).toBe(2);
  });

  test("dies when a write is durable and nobody was told", async () => {
    const machine = new Machine();
    machine.disk.crashAtWrite(1, "durable", () => machine.crash());
    machine.put("a", true);
    await machine.clock.run(10);
    expect(machine.written).toEqual([]);
    machine.restart();
    expect(machine.has("a")).toBe(true);
  });

  test("dies at the write that it was told, counted from the next deletion of a range on, restarts or not", async () => {
    const machine = new Machine();
    machine.disk.crashAtWrite(2, "durable", () => machine.crash(), "next-deletion");
    machine.put("a", true);
    await machine.clock.run(10);
    machine.crash();
    machine.restart();
    machine.put("b", true);
    await machine.clock.run(10);
    machine.deleteAll();
    await machine.clock.run(10);
    expect(machine.process.isDead).toBe(false);
    machine.put("c", true);
    await machine.clock.run(10);
    expect(machine.process.isDead).toBe(true);
    machine.restart();
    expect(["a", "b", "c"].filter((name) => machine.has(name))).toEqual(["c"]);
  });

  test("is as slow as it is told, and no longer", async () => {
    const machine = new Machine();
    const end = machine.disk.slow(500);
    machine.put("a", true);
    await machine.clock.run(400);
    expect(machine.written).toEqual([]);
    await machine.clock.run(200);
    expect(machine.written).toEqual(["a"]);
    end();
    machine.put("b", true);
    await machine.clock.run(5);
    expect(machine.written).toEqual(["a", "b"]);
  });

  test("fails every write when it is broken, until its process is gone", async () => {
    const machine = new Machine();
    machine.disk.break("no space left");
    machine.put("a", true);
    await machine.clock.run(10);
    expect(machine.fatal).toContain("no space left");
    expect(machine.events.at(-1)).toBe("failed 1");
    machine.crash();
    machine.restart();
    machine.put("b", true);
    await machine.clock.run(10);
    expect(machine.written).toEqual(["b"]);
  });

  test("says that it is full, and takes writes still", async () => {
    const machine = new Machine();
    machine.disk.setFull(true);
    expect(machine.disk.freeBytes).toBe(0);
    expect(machine.disk.usage().availableBytes).toBe(0);
    machine.put("a", true);
    await machine.clock.run(10);
    expect(machine.written).toEqual(["a"]);
    machine.disk.setFull(false);
    expect(machine.disk.freeBytes).toBeGreaterThan(0);
  });

  test("answers a paused process when it runs again", async () => {
    const machine = new Machine();
    machine.put("a", true);
    machine.process.suspend();
    await machine.clock.run(100);
    expect(machine.written).toEqual([]);
    machine.process.resume();
    await machine.clock.run(10);
    expect(machine.written).toEqual(["a"]);
  });
});
