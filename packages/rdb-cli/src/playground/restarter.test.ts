import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MemberExit } from "./member.ts";
import { planCluster } from "./plan.ts";
import { Restarter, type Run, restartLimits } from "./restarter.ts";

const {
  pds: [plan],
} = planCluster({ dataFolder: "none", storeCount: 1, basePort: 7400, splitKeys: [] });

/** A process that ends when the test says so, or when it is told to. */
class FakeRun implements Run {
  readonly #exit = Promise.withResolvers<MemberExit>();
  readonly exited = this.#exit.promise;
  readonly ready = Promise.resolve();
  readonly signals: string[] = [];
  isDeaf = false;

  end(exit: MemberExit): void {
    this.#exit.resolve(exit);
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    this.signals.push(signal);
    if (signal === "SIGKILL" || !this.isDeaf) {
      this.end({ code: null, signal });
    }
  }
}

const killed: MemberExit = { code: null, signal: "SIGKILL" };
let runs: FakeRun[] = [];
let said: string[] = [];
const last = (): FakeRun => runs.at(-1) as FakeRun;

function start(): Restarter {
  const restarter = new Restarter(
    plan,
    (line) => said.push(line),
    () => {
      runs.push(new FakeRun());
      return last();
    },
  );
  restarter.keepRunning();
  return restarter;
}

beforeEach(() => {
  runs = [];
  said = [];
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("what dies is started again after a pause, and both is said", async () => {
  start();
  last().end(killed);
  await vi.advanceTimersByTimeAsync(restartLimits.firstDelayMs - 1);
  expect(runs).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(runs).toHaveLength(2);
  expect(said).toEqual(["pd died (SIGKILL), starting it again", "pd serves again after 0.0 s"]);
});

test("what dies again and again is given up, after pauses that grow", async () => {
  start();
  const startedMs = performance.now();
  for (let death = 1; death <= restartLimits.quickDeathsMax; death++) {
    last().end({ code: 1, signal: null });
    await vi.advanceTimersByTimeAsync(restartLimits.firstDelayMs * 2 ** (death - 1));
    expect(runs).toHaveLength(death + 1);
  }
  expect(performance.now() - startedMs).toBe(
    restartLimits.firstDelayMs * (2 ** restartLimits.quickDeathsMax - 1),
  );
  last().end({ code: 1, signal: null });
  await vi.advanceTimersByTimeAsync(60_000);
  await vi.waitFor(() =>
    expect(said.at(-1)).toMatch(/^pd died 6 times in a row and stays down: exit code 1/),
  );
  expect(runs).toHaveLength(restartLimits.quickDeathsMax + 1);
});

test("what ends by itself in good order stays down", async () => {
  const restarter = start();
  last().end({ code: 0, signal: null });
  await vi.waitFor(() =>
    expect(said).toEqual([expect.stringMatching(/^pd ended by itself and stays down: /)]),
  );
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toHaveLength(1);
  await restarter.stop();
});

test("a death after a healthy time counts as the first", async () => {
  start();
  for (let death = 0; death < 3 * restartLimits.quickDeathsMax; death++) {
    await vi.advanceTimersByTimeAsync(restartLimits.healthyAfterMs + 1);
    last().end(killed);
    await vi.advanceTimersByTimeAsync(restartLimits.firstDelayMs);
    expect(runs).toHaveLength(death + 2);
  }
});

test("a stop ends it in good order, and it stays stopped", async () => {
  const restarter = start();
  await restarter.stop();
  expect(last().signals).toEqual(["SIGTERM"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toHaveLength(1);
});

test("a stop during the pause before a new start starts nothing", async () => {
  const restarter = start();
  last().end(killed);
  await vi.advanceTimersByTimeAsync(restartLimits.firstDelayMs / 2);
  await restarter.stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toHaveLength(1);
});

test("what does not stop in time is killed, with a message", async () => {
  const restarter = start();
  last().isDeaf = true;
  const stopped = restarter.stop();
  await vi.advanceTimersByTimeAsync(restartLimits.stopTimeoutMs);
  await stopped;
  expect(last().signals).toEqual(["SIGTERM", "SIGKILL"]);
  expect(said).toEqual(["pd does not stop: killing it"]);
});

test("a kill waits for nothing", async () => {
  const restarter = start();
  last().isDeaf = true;
  restarter.kill();
  expect(last().signals).toEqual(["SIGKILL"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(runs).toHaveLength(1);
});
