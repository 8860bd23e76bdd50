import { expect, test } from "vitest";
import { casCommand, kvCommand, putCommand } from "../testing/index.ts";
import { keptAnswerSizeBytes, requestSizeBytes } from "./request-size.ts";

test("a write weighs its keys and values", () => {
  expect(requestSizeBytes(putCommand("key", "x".repeat(1_000)))).toBeGreaterThanOrEqual(1_003);
});

test("a swap that returns the previous row weighs an answer too, so that few of them share an entry", () => {
  const returning = kvCommand({ case: "compareAndSwap", value: { returnPrevious: true } });
  expect(keptAnswerSizeBytes(returning)).toBe(16_384);
  expect(keptAnswerSizeBytes(casCommand("a", "1", "2"))).toBe(0);
  expect(keptAnswerSizeBytes(putCommand("a", "1"))).toBe(0);
});
