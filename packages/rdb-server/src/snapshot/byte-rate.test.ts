import { expect, test } from "vitest";
import { SimClock } from "../testing/index.ts";
import { ByteRate } from "./byte-rate.ts";

test("lets a burst go, then as many bytes a second as was said, in the order of the calls", async () => {
  const clock = new SimClock();
  const rate = new ByteRate(clock, 1_000);
  const went: string[] = [];
  const startMs = clock.monotonicMs();
  for (const [name, bytes] of [
    ["a", 100],
    ["b", 500],
    ["c", 1],
    ["d", 10],
  ] as const) {
    void rate.take(bytes).then(() => went.push(`${name} ${Math.round(clock.monotonicMs() - startMs)}`));
  }
  await clock.run(2_000);
  expect(went).toEqual(["a 0", "b 0", "c 500", "d 501"]);
});

test("makes up for no more than a moment of silence", async () => {
  const clock = new SimClock();
  const rate = new ByteRate(clock, 1_000);
  await clock.run(60_000);
  const startMs = clock.monotonicMs();
  let wentMs = 0;
  void rate.take(1_000);
  void rate.take(1).then(() => {
    wentMs = clock.monotonicMs() - startMs;
  });
  await clock.run(5_000);
  expect(wentMs).toBeCloseTo(900);
});

test("another limit holds for what is asked for from then on", async () => {
  const clock = new SimClock();
  const rate = new ByteRate(clock, 1_000);
  const startMs = clock.monotonicMs();
  const wentMs: number[] = [];
  const take = (bytes: number): void =>
    void rate.take(bytes).then(() => wentMs.push(Math.round(clock.monotonicMs() - startMs)));
  take(1_100);
  rate.bytesPerSecond = 10_000;
  take(1_000);
  take(1);
  await clock.run(5_000);
  expect(wentMs).toEqual([0, 1_000, 1_100]);
});

test("without a limit everything goes at once", async () => {
  const rate = new ByteRate(new SimClock(), 0);
  await rate.take(1e12);
  await rate.take(1);
});
