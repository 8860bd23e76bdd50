import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { KiB, MiB, systemClock } from "@flaredb/rdb-base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine.ts";
import { openRocksEngine } from "./rocks-engine.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { WalRoom } from "./wal-room.ts";
import { WritePart } from "./write-part.ts";

const SMALL = 100;
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder("wal-room");
});
afterEach(() => folder.remove());

describe("WalRoom", () => {
  let nowMs: number;
  let room: WalRoom;
  beforeEach(() => {
    nowMs = 1_000_000;
    room = new WalRoom(folder.path, () => nowMs);
  });
  afterEach(() => room.close());

  const log = (name: string): string => join(folder.path, name);
  /** Changes its file's time, as a write does. */
  let changes = 0;
  const touch = (name: string): void => {
    changes++;
    utimesSync(log(name), changes, changes);
  };

  it("makes the newest log longer, to the end of a block, and leaves what it holds alone", () => {
    writeFileSync(log("000009.log"), "older");
    writeFileSync(log("000010.log"), "records");
    writeFileSync(log("000011.sst"), "a table");
    room.written(SMALL);
    const content = readFileSync(log("000010.log"));
    expect(content.subarray(0, 7).toString()).toBe("records");
    expect(content).toHaveLength(1 * MiB + 32 * KiB);
    expect(content.subarray(7).every((byte) => byte === 0)).toBe(true);
    expect(readFileSync(log("000009.log"), "utf8")).toBe("older");
    expect(readFileSync(log("000011.sst"), "utf8")).toBe("a table");
  });

  it("makes no log shorter, however far it was written meanwhile", () => {
    writeFileSync(log("000010.log"), "records");
    room.written(SMALL);
    appendFileSync(log("000010.log"), Buffer.alloc(3 * MiB, 1));
    const before = readFileSync(log("000010.log"));
    room.written(3 * MiB);
    const after = readFileSync(log("000010.log"));
    expect(after.length).toBeGreaterThanOrEqual(before.length + 1 * MiB);
    expect(after.subarray(0, before.length)).toEqual(before);
  });

  it("makes it longer only by what passes use up", () => {
    writeFileSync(log("000010.log"), "");
    const size = (): number => statSync(log("000010.log")).size;
    room.written(SMALL);
    for (let pass = 0; pass < 1_000; pass++) {
      room.written(SMALL);
    }
    expect(size()).toBe(1 * MiB);
    room.written(800 * KiB);
    expect(size()).toBe(2 * MiB);
  });

  it("goes over to a new log once the one before is not written to any more", () => {
    writeFileSync(log("000010.log"), "");
    room.written(SMALL);
    writeFileSync(log("000012.log"), "new");
    for (let pass = 0; pass < 5; pass++) {
      nowMs += 60;
      touch("000010.log");
      room.written(SMALL);
    }
    expect(statSync(log("000012.log")).size).toBe(3);
    nowMs += 60;
    room.written(SMALL);
    expect(statSync(log("000012.log")).size).toBeGreaterThan(1 * MiB);
  });

  it("does not take its own changes for a sign that the log is written to", () => {
    writeFileSync(log("000010.log"), "");
    room.written(SMALL);
    writeFileSync(log("000012.log"), "new");
    for (let pass = 0; pass < 100; pass++) {
      nowMs += 5;
      room.written(100 * KiB);
    }
    expect(statSync(log("000010.log")).size).toBeLessThanOrEqual(2 * MiB);
    expect(statSync(log("000012.log")).size).toBeGreaterThan(1 * MiB);
  });

  it("does without room where there is nothing to make it in, and tries again later", () => {
    const missing = join(folder.path, "missing");
    const own = new WalRoom(missing, () => nowMs);
    own.written(SMALL);
    mkdirSync(missing);
    writeFileSync(join(missing, "000001.log"), "");
    nowMs += 5_000;
    own.written(SMALL);
    expect(statSync(join(missing, "000001.log")).size).toBe(0);
    nowMs += 5_001;
    own.written(SMALL);
    expect(statSync(join(missing, "000001.log")).size).toBe(1 * MiB);
    own.close();
  });
});

describe("a database's log", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const open = (path: string): Promise<Engine> =>
    openRocksEngine({
      path,
      clock: systemClock,
      onFatal: (error) => {
        throw error;
      },
    });
  const put = (engine: Engine, number: number): Promise<void> => {
    const part = new WritePart();
    part.put("data", bytes(`key-${number}`), new Uint8Array(500).fill(number));
    part.sync = true;
    return new Promise((resolve) => engine.submit(part, resolve));
  };
  const logSize = (path: string): number =>
    readdirSync(join(path, "db"))
      .filter((name) => name.endsWith(".log"))
      .reduce((sum, name) => sum + statSync(join(path, "db", name)).size, 0);

  it("does not grow with each write that is synced, and is cut to what it holds by a clean stop", async () => {
    const engine = await open(folder.path);
    await put(engine, 0);
    // Its room follows behind the answer: the next write finds it.
    await put(engine, 1);
    const before = logSize(folder.path);
    for (let number = 2; number < 100; number++) {
      await put(engine, number);
    }
    expect(logSize(folder.path)).toBe(before);
    await engine.close();
    expect(logSize(folder.path)).toBeLessThan(100 * KiB);
  });

  it("holds what was synced when the process ends with room behind it", async () => {
    const engine = await open(folder.path);
    for (let number = 0; number < 20; number++) {
      await put(engine, number);
    }
    const left = temporaryFolder("wal-room-left");
    cpSync(folder.path, left.path, { recursive: true });
    await engine.close();
    expect(logSize(left.path)).toBeGreaterThan(1 * MiB);
    const reopened = await open(left.path);
    for (let number = 0; number < 20; number++) {
      expect(reopened.get("data", bytes(`key-${number}`))).toEqual(Buffer.alloc(500, number));
    }
    await put(reopened, 20);
    await reopened.close();
    left.remove();
  });
});
