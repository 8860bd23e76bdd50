import { type RdbClient } from "@flaredb/rdb-client";
import { type TestCluster, startTestCluster } from "@flaredb/rdb-client/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RateLimiter } from "./rate-limiter.ts";

let cluster: TestCluster;
let db: RdbClient;
let nowMs = 1_700_000_000_000;

beforeAll(async () => {
  cluster = await startTestCluster();
  db = await cluster.client();
});
afterAll(() => cluster.stop());

function limiter(name: string, limit: number, windowMs: number): RateLimiter {
  return new RateLimiter(db.namespace(`${name}/`), { limit, windowMs }, () => nowMs);
}

test("allows so many at once, then one each time the allowance comes back", async () => {
  const logins = limiter("logins", 3, 3_000);
  expect(await logins.take("ada")).toEqual({ allowed: true, remaining: 2 });
  expect(await logins.take("ada")).toEqual({ allowed: true, remaining: 1 });
  expect(await logins.take("ada")).toEqual({ allowed: true, remaining: 0 });
  expect(await logins.take("ada")).toEqual({ allowed: false, retryAfterMs: 1_000 });
  expect(await logins.take("grace")).toMatchObject({ allowed: true });
  nowMs += 999;
  expect(await logins.take("ada")).toEqual({ allowed: false, retryAfterMs: 1 });
  nowMs += 1;
  expect(await logins.take("ada")).toEqual({ allowed: true, remaining: 0 });
  nowMs += 60_000;
  expect(await logins.take("ada")).toEqual({ allowed: true, remaining: 2 });
});

test("is exact however many ask at once", async () => {
  const calls = limiter("calls", 5, 1_000);
  const decisions = await Promise.all(Array.from({ length: 40 }, () => calls.take("everybody")));
  const allowedCount = decisions.filter(({ allowed }) => allowed).length;
  expect(allowedCount).toBeGreaterThan(0);
  expect(allowedCount).toBeLessThanOrEqual(5);
  // Whoever was turned away in the crowd finds what is left.
  let leftCount = 0;
  while ((await calls.take("everybody")).allowed) {
    leftCount++;
  }
  expect(allowedCount + leftCount).toBe(5);
});

test("forgets those whose allowance is whole, and nobody else", async () => {
  const posts = limiter("posts", 2, 1_000);
  await posts.take("early");
  nowMs += 500;
  await posts.take("late");
  expect(await posts.sweep()).toBe(1);
  expect(await posts.take("late")).toEqual({ allowed: true, remaining: 0 });
  nowMs += 5_000;
  expect(await posts.sweep()).toBe(1);
});
