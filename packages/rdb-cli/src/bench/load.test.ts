import { RdbError } from "@flaredb/rdb-base";
import { ManualClock } from "@flaredb/rdb-client/fakes";
import { describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ClosedLoop, OpenLoop, type Schedule } from "./schedule.ts";

const SERVICE_MS = 2;

/** A cluster that takes two milliseconds for each call, and answers nobody during a stall. */
class StallingService {
  readonly clock = new ManualClock();
  /** As if the generator kept half a core busy. */
  readonly cpuMs = (): number => this.clock.monotonicMs() / 2;
  readonly startMs = this.clock.monotonicMs();
  openCount = 0;
  mostOpen = 0;
  stall: { readonly fromMs: number; readonly untilMs: number } | undefined;

  readonly operation = {
    call: async (): Promise<number> => {
      this.openCount++;
      this.mostOpen = Math.max(this.mostOpen, this.openCount);
      const sinceMs = this.clock.monotonicMs() - this.startMs;
      const { fromMs, untilMs } = this.stall ?? { fromMs: 0, untilMs: 0 };
      const waitMs = sinceMs >= fromMs && sinceMs < untilMs ? untilMs - sinceMs : 0;
      await new Promise<void>((resolve) => this.clock.setTimer(waitMs + SERVICE_MS, resolve));
      this.openCount--;
      return 3;
    },
    rowCount: (rows: number) => rows,
  };

  load(schedule: Schedule, clients: number): Load<number> {
    return new Load(this, this.operation, schedule, clients);
  }

  end(durationMs: number, total = Infinity) {
    return { startMs: this.startMs, durationMs, total };
  }
}

describe("a closed loop", () => {
  test("keeps as many calls open as there are clients, until its time is over", async () => {
    const service = new StallingService();
    const run = service.load(new ClosedLoop(service.end(100)), 5).run();
    const result = await service.clock.until(run);
    expect(service.mostOpen).toBe(5);
    expect(result).toMatchObject({
      calls: 250,
      rows: 750,
      elapsedMs: 100,
      unstarted: 0,
      errors: {},
      cpuMs: 50,
    });
    expect(result.latencies.percentileMs(100)).toBe(SERVICE_MS);
  });

  test("makes exactly as many calls as asked for, also fewer than clients", async () => {
    for (const total of [1, 3, 12]) {
      const service = new StallingService();
      const run = service.load(new ClosedLoop(service.end(Infinity, total)), 5).run();
      expect((await service.clock.until(run)).calls).toBe(total);
      expect(service.openCount).toBe(0);
    }
  });

  test("stopped, it waits for what is open and gives the figures so far", async () => {
    const service = new StallingService();
    const load = service.load(new ClosedLoop(service.end(Infinity)), 5);
    const run = load.run();
    await service.clock.advance(19);
    load.stop();
    expect(await service.clock.until(run)).toMatchObject({ calls: 50, elapsedMs: 20 });
  });
});

describe("an open loop", () => {
  test("begins calls at its rate, however fast the answers are", async () => {
    const service = new StallingService();
    const run = service.load(new OpenLoop(service.end(1_000), 100), 50).run();
    const result = await service.clock.until(run);
    expect(result).toMatchObject({ calls: 100, unstarted: 0 });
    expect(service.mostOpen).toBe(1);
  });

  test("a stall is felt by every call that was due meanwhile, not by the open ones alone", async () => {
    const service = new StallingService();
    service.stall = { fromMs: 200, untilMs: 400 };
    const run = service.load(new OpenLoop(service.end(1_000), 500), 1).run();
    const { latencies, calls, unstarted } = await service.clock.until(run);
    expect([calls, unstarted]).toEqual([400, 100]);
    // The client served one call in 2 ms, which is the rate: all calls from the stall on are as late as it was long.
    expect(latencies.percentileMs(10)).toBeLessThan(5);
    expect(latencies.percentileMs(50)).toBeGreaterThan(195);
  });

  test("says how many calls were due and found no client before the end", async () => {
    const service = new StallingService();
    const run = service.load(new OpenLoop(service.end(1_000), 1_000), 1).run();
    const result = await service.clock.until(run);
    expect(result.calls + result.unstarted).toBe(1_000);
    expect(result.unstarted).toBeGreaterThan(490);
  });

  test("ends after the total", async () => {
    const service = new StallingService();
    const run = service.load(new OpenLoop(service.end(Infinity, 7), 100), 4).run();
    expect(await service.clock.until(run)).toMatchObject({ calls: 7, unstarted: 0 });
  });

  test("what comes due just before the end is called, though the timer is late: clients were free", async () => {
    const service = new StallingService();
    const run = service.load(new OpenLoop(service.end(100.5), 5_000), 50).run();
    const { calls, unstarted, latencies } = await service.clock.until(run);
    expect([calls, unstarted]).toEqual([503, 0]);
    expect(latencies.percentileMs(100)).toBeLessThan(SERVICE_MS + 1.1);
  });

  test("a client that becomes free after the end takes nothing that was due before", async () => {
    const service = new StallingService();
    service.stall = { fromMs: 90, untilMs: 120 };
    const run = service.load(new OpenLoop(service.end(100), 1_000), 5).run();
    const { calls, unstarted } = await service.clock.until(run);
    expect([calls, unstarted]).toEqual([95, 5]);
  });

  test.each([1, 7, 61, 103, 1_000])("at a rate of %d a second rounding adds no call", (rate) => {
    const schedule = new OpenLoop({ startMs: 0, durationMs: 1_000, total: Infinity }, rate);
    let calls = 0;
    while (typeof schedule.take(999.999_9, true) === "number") {
      calls++;
    }
    schedule.take(1_000, false);
    expect([calls, schedule.unstartedCount]).toEqual([rate, 0]);
  });

  test.each([
    [1, 10_000],
    [7, 1_000],
    [10, 3_000],
  ])(
    "at %d a second for %d ms three processes make the calls of one, each at its time",
    (rate, durationMs) => {
      const end = { startMs: 0, durationMs, total: Infinity };
      const dueOf = (schedule: OpenLoop): number[] => {
        const due: number[] = [];
        for (;;) {
          const next = schedule.take(durationMs - 1e-4, true);
          if (typeof next === "string") {
            return due;
          }
          due.push(next);
        }
      };
      const shares = [0, 1, 2].map((place) => new OpenLoop(end, rate, { place, of: 3 }));
      const due = shares.flatMap(dueOf).toSorted((a, b) => a - b);
      expect(due).toEqual(dueOf(new OpenLoop(end, rate)));
      shares.forEach((share) => share.take(durationMs, false));
      expect(shares.map(({ unstartedCount }) => unstartedCount)).toEqual([0, 0, 0]);
      expect(Math.max(...shares.map(({ filledUntilMs }) => filledUntilMs))).toBeCloseTo(durationMs);
    },
  );

  test("what a share of the calls could not start are its own", () => {
    const schedule = new OpenLoop({ startMs: 0, durationMs: 1_000, total: Infinity }, 10, {
      place: 1,
      of: 3,
    });
    // Due at 100, 400 and 700 ms.
    expect(schedule.take(50, true)).toBe("not due");
    schedule.stop(450, false);
    expect(schedule.unstartedCount).toBe(2);
  });

  test("its time is what its calls take at their rate, and not until the last answer alone", async () => {
    const timed = new StallingService();
    const seconds = timed.load(new OpenLoop(timed.end(3_000), 1), 4).run();
    expect(await timed.clock.until(seconds)).toMatchObject({ calls: 3, elapsedMs: 3_000 });
    const counted = new StallingService();
    const total = counted.load(new OpenLoop(counted.end(Infinity, 5), 10), 4).run();
    expect(await counted.clock.until(total)).toMatchObject({ calls: 5, elapsedMs: 500 });
  });

  test("stopped in a stall, it says what was due until then", async () => {
    const service = new StallingService();
    service.stall = { fromMs: 10, untilMs: 1_000 };
    const load = service.load(new OpenLoop(service.end(Infinity), 100), 1);
    const run = load.run();
    await service.clock.advance(505);
    load.stop();
    expect(await service.clock.until(run)).toMatchObject({ calls: 2, unstarted: 49 });
  });

  test("stopped between two calls, it ends at once", async () => {
    const service = new StallingService();
    const load = service.load(new OpenLoop(service.end(Infinity), 0.1), 4);
    const run = load.run();
    await service.clock.advance(5);
    load.stop();
    expect(await run).toMatchObject({ calls: 1, unstarted: 0 });
  });
});

test("calls that fail are counted by code, beside the latencies, and others go on", async () => {
  const service = new StallingService();
  let calls = 0;
  const operation = {
    call: (): Promise<number> => {
      calls++;
      return calls % 2 === 0
        ? Promise.reject(new RdbError(calls % 4 === 0 ? "RDB_SERVER_IS_BUSY" : "RDB_ABORTED", "refused"))
        : service.operation.call();
    },
    rowCount: (rows: number) => rows,
  };
  const load = new Load(service, operation, new ClosedLoop(service.end(Infinity, 8)), 1);
  const result = await service.clock.until(load.run());
  expect(result).toMatchObject({ calls: 4, errors: { RDB_SERVER_IS_BUSY: 2, RDB_ABORTED: 2 } });
  expect(result.latencies.count).toBe(4);
});

test("intervals are what was answered since the last one, and the whole is all of them", async () => {
  const service = new StallingService();
  const load = service.load(new ClosedLoop(service.end(10)), 1);
  const run = load.run();
  await service.clock.advance(4);
  expect(load.takeInterval().count).toBe(2);
  expect(load.takeInterval().count).toBe(0);
  expect((await service.clock.until(run)).latencies.count).toBe(5);
});
