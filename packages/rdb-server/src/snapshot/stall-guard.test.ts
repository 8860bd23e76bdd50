import { setImmediate } from "node:timers/promises";
import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { SimClock } from "../testing/index.ts";
import { StallGuard } from "./stall-guard.ts";

const TIMEOUT_MS = 1_000;

test("what waits ends when nothing was heard for the timeout", async () => {
  const clock = new SimClock();
  const guard = new StallGuard(clock, TIMEOUT_MS);
  const failure = guard
    .orStalled<RdbError>(new Promise(() => {}))
    .catch((error: unknown) => RdbError.from(error));
  await clock.run(TIMEOUT_MS - 1);
  guard.progressed();
  await clock.run(TIMEOUT_MS - 1);
  expect(guard.signal.aborted).toBe(false);
  await clock.run(1);
  expect((await failure).message).toBe("the transfer stood still for 1000 ms");
});

test("a stream that breaks after the abort fails for nobody: the process goes on", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  const guard = new StallGuard(new SimClock(), TIMEOUT_MS);
  guard.abort(new RdbError("RDB_UNAVAILABLE", "it goes on with another stream"));
  const stream = Promise.withResolvers<never>();
  await expect(guard.orStalled(stream.promise)).rejects.toThrow("it goes on with another stream");
  stream.reject(new Error("Premature close"));
  await setImmediate();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});
