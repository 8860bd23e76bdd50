import { type Clock, RdbError, SeededRandom, silentLogger } from "@flaredb/rdb-base";
import { SimClock } from "@flaredb/rdb-server/testing";
import type { Wire } from "@flaredb/rdb-wire";
import { beforeEach, describe, expect, test } from "vitest";
import { type Boot, SimProcess } from "./sim-process.ts";

/** What a program of the tests does when it runs. */
interface Running {
  readonly boot: Boot;
  ticks: number;
}

let clock: SimClock;
let events: string[];
let failures: string[];
let ended: string[];
/** How the program stops, and whether it starts at all. */
let stop: (running: Running) => Promise<void>;
let start: (boot: Boot) => Promise<Running>;
let process: SimProcess<Running>;

const noWire = undefined as unknown as Wire;

function tick(running: Running, of: Clock): void {
  of.setTimer(10, () => {
    running.ticks++;
    tick(running, of);
  });
}

beforeEach(() => {
  clock = new SimClock();
  events = [];
  failures = [];
  ended = [];
  stop = () => Promise.resolve();
  start = (boot) => {
    const running = { boot, ticks: 0 };
    tick(running, boot.clock);
    return Promise.resolve(running);
  };
  process = new SimProcess<Running>(
    clock,
    {
      name: "p",
      clockShape: { rate: 1, wallOffsetMs: 0 },
      randomOf: (bootCount) => new SeededRandom(bootCount),
      loggerOf: () => silentLogger,
      attach: () => ({ wire: noWire, ended: (kind) => ended.push(kind) }),
    },
    { start: (boot) => start(boot), stop: (running) => stop(running) },
    {
      event: (_, event) => events.push(event),
      failed: (_, doing, error) => failures.push(`${doing}: ${(error as Error).message}`),
    },
  );
});

async function up(): Promise<Running> {
  process.start();
  await clock.run(1);
  return process.running as Running;
}

describe("a process", () => {
  test("does nothing any more once it is killed, and starts again by itself", async () => {
    const first = await up();
    await clock.run(100);
    process.end("kill");
    const { ticks } = first;
    expect(process.isRunning).toBe(false);
    await clock.run(200);
    expect(first.ticks).toBe(ticks);
    expect(process.running).not.toBe(first);
    expect(process.isWell).toBe(true);
    expect(events).toEqual(["start", "up", "kill", "start", "up"]);
    expect(ended).toEqual(["kill"]);
  });

  test("stays down while anybody holds it, and starts with the last who lets go", async () => {
    await up();
    const releases = [process.hold(), process.hold()];
    process.end("power-off");
    await clock.run(5_000);
    expect(process.isRunning).toBe(false);
    releases[0]?.();
    releases[0]?.();
    await clock.run(1_000);
    expect(process.isRunning).toBe(false);
    releases[1]?.();
    await clock.run(1);
    expect(process.isWell).toBe(true);
    expect(ended).toEqual(["power-off"]);
  });

  test("stands still while it is paused, and goes on where it was", async () => {
    const running = await up();
    const [resume, resumeToo] = [process.pause(), process.pause()];
    await clock.run(1_000);
    expect(running.ticks).toBe(0);
    expect(process.isWell).toBe(false);
    resume();
    await clock.run(100);
    expect(running.ticks).toBe(0);
    resumeToo();
    await clock.run(100);
    expect(running.ticks).toBeGreaterThan(0);
    expect(process.running).toBe(running);
  });

  test("stops in good order, and is killed when that takes too long", async () => {
    await up();
    const release = process.hold();
    process.stop();
    await clock.run(1);
    expect(ended).toEqual(["exit"]);
    release();
    await up();
    process.hold();
    stop = () => new Promise(() => {});
    process.stop();
    await clock.run(9_000);
    expect(ended).toEqual(["exit"]);
    await clock.run(2_000);
    expect(ended).toEqual(["exit", "kill"]);
    expect(failures).toEqual([]);
  });

  test("a start that is stopped ends by the signal", async () => {
    start = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new RdbError("RDB_CLOSED", "stopped")));
      });
    process.start();
    await clock.run(10);
    process.hold();
    process.stop();
    await clock.run(1);
    expect(ended).toEqual(["exit"]);
    expect(failures).toEqual([]);
  });

  test("that fails by itself is a failure, unless its disk may", async () => {
    const { boot } = await up();
    boot.onFatal(new RdbError("RDB_STORAGE_FAILED", "bad disk"));
    expect(failures).toEqual(["run: bad disk"]);
    expect(ended).toEqual(["kill"]);
    const again = await up();
    process.setMayFail(true);
    again.boot.onFatal(new RdbError("RDB_STORAGE_FAILED", "bad disk"));
    expect(failures).toHaveLength(1);
    process.setMayFail(false);
    start = () => Promise.reject(new RdbError("RDB_DATA_CORRUPT", "torn row"));
    await clock.run(150);
    expect(failures[1]).toBe("start: torn row");
  });

  test("sees its machine's wall clock jump, also after a start", async () => {
    const before = await up();
    const wallMs = before.boot.clock.wallMs();
    process.jumpWallMs(3_600_000);
    expect(before.boot.clock.wallMs()).toBe(wallMs + 3_600_000);
    process.end("kill");
    const after = await up();
    await clock.run(200);
    expect((process.running ?? after).boot.clock.wallMs()).toBeGreaterThan(wallMs + 3_600_000);
  });
});
