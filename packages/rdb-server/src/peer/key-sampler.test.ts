import { FULL_RANGE } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { batchPutCommand, bytes, getCommand, putCommand, text } from "../testing/index.ts";
import { KeySampler, balancingKey } from "./key-sampler.ts";

function samples(counts: Readonly<Record<string, number>>): Uint8Array[] {
  return Object.entries(counts).flatMap(([key, count]) => Array.from({ length: count }, () => bytes(key)));
}

function cutOf(counts: Readonly<Record<string, number>>, startKey = ""): string | undefined {
  const key = balancingKey(samples(counts), { startKey: bytes(startKey), endKey: bytes("") });
  return key && text(key);
}

describe("balancingKey", () => {
  it("cuts the load in two", () => {
    expect(cutOf({ a: 50, b: 50, c: 50, d: 50 })).toBe("c");
    expect(cutOf({ a: 10, b: 20, c: 80, d: 90 })).toBe("d");
  });

  it("finds no cut when one key has half of it, or no side would get a quarter", () => {
    expect(cutOf({ a: 30, b: 100, c: 70 })).toBeUndefined();
    expect(cutOf({ a: 40, b: 200 })).toBeUndefined();
    expect(cutOf({ a: 200 })).toBeUndefined();
  });

  it("does not cut where the range begins, or with few samples", () => {
    expect(cutOf({ a: 60, b: 60, c: 20 }, "b")).toBeUndefined();
    expect(cutOf({ a: 20, b: 20, c: 20 })).toBeUndefined();
  });
});

describe("KeySampler", () => {
  it("tells for how long more keys a second are asked for, of batches each key", () => {
    const sampler = new KeySampler();
    sampler.tick(0, 100);
    const hotMs: number[] = [];
    for (let second = 1; second <= 4; second++) {
      for (let count = 0; count < (second === 4 ? 10 : 60); count++) {
        sampler.take(batchPutCommand({ a: "1", b: "2" }));
      }
      hotMs.push(sampler.tick(second * 1_000, 100));
    }
    expect(hotMs).toEqual([1_000, 2_000, 3_000, 0]);
  });

  it("remembers keys evenly, and forgets them with the range", () => {
    const sampler = new KeySampler();
    sampler.tick(0, 1);
    for (let count = 0; count < 2_000; count++) {
      sampler.take(count % 2 === 0 ? getCommand(`k${count % 10}`) : putCommand(`k${count % 10}`, "v"));
      if (count === 1_000) {
        sampler.tick(1_000, 1);
      }
    }
    expect(text(sampler.splitKey(FULL_RANGE) as Uint8Array)).toMatch(/^k[3-7]$/);
    sampler.forget();
    expect(sampler.splitKey(FULL_RANGE)).toBeUndefined();
  });
});
