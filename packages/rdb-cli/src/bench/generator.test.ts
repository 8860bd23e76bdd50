import type { Clock, Random } from "@flaredb/rdb-base";
import { ManualClock } from "@flaredb/rdb-client/fakes";
import { expect, test } from "vitest";
import { LocalGenerator } from "./generator.ts";
import type { BenchClient } from "./operations.ts";
import { parseBenchOptions } from "./options.ts";

const SERVICE_MS = 2;

test("values that take long to make are made before time counts", async () => {
  const manual = new ManualClock();
  let spentMs = 0;
  const clock: Clock = {
    wallMs: () => manual.wallMs() + spentMs,
    monotonicMs: () => manual.monotonicMs() + spentMs,
    setTimer: (delayMs, callback) => manual.setTimer(delayMs, callback),
    setImmediate: (callback) => manual.setImmediate(callback),
  };
  const random: Random = {
    // A byte of a value.
    nextInt: () => {
      spentMs += 0.001;
      return 7;
    },
    nextFraction: () => 0.5,
  };
  const client = {
    put: () => new Promise((resolve) => clock.setTimer(SERVICE_MS, () => resolve({ version: 1 }))),
    close: () => undefined,
  };
  const options = parseBenchOptions("put", { rate: "100", seconds: "1", warmUp: "0", valueSize: "2000" });
  const generator = new LocalGenerator(
    options,
    { pdAddresses: [], deadlineMs: 1_000 },
    {
      ...{ clock, random, cpuMs: () => 0 },
      connect: () => Promise.resolve(client as unknown as BenchClient & { close(): void }),
    },
  );
  await manual.until(generator.prepare());
  const { calls, unstarted, latencies } = await manual.until(generator.run());
  expect(spentMs).toBeGreaterThan(500);
  expect([calls, unstarted]).toEqual([100, 0]);
  expect(latencies.percentileMs(100)).toBeLessThan(SERVICE_MS + 1.1);
});
