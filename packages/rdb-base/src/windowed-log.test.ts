import { expect, test } from "vitest";
import { silentLogger } from "./logger.ts";
import { WindowedLog } from "./windowed-log.ts";

const lines: unknown[] = [];
let nowMs = 0;
function log(): WindowedLog {
  lines.length = 0;
  nowMs = 0;
  const logger = {
    ...silentLogger,
    warn: (fields: object, message: string) => void lines.push([fields, message]),
  };
  return new WindowedLog({ monotonicMs: () => nowMs }, logger);
}

test("an event is told once a minute, with how many were left out before", () => {
  const windowed = log();
  for (let left = 5; left > 0; left--) {
    windowed.warn("a", { n: 1 }, "it happened");
  }
  expect(lines).toEqual([[{ n: 1 }, "it happened"]]);
  nowMs = 60_000;
  windowed.warn("a", { n: 2 }, "it happened");
  windowed.warn("b", {}, "another");
  expect(lines.slice(1)).toEqual([
    [{ n: 2, leftOutBefore: 4 }, "it happened"],
    [{}, "another"],
  ]);
});

test("however many different events there are, few are told", () => {
  const windowed = log();
  for (let event = 0; event < 10_000; event++) {
    windowed.warn(String(event), {}, "it happened");
  }
  expect(lines).toHaveLength(16);
});
