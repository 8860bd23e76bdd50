import { startTestCluster } from "@flaredb/rdb-client/testing";
import { expect, test } from "vitest";
import { JobQueue } from "./job-queue.ts";

test("a job is there once, is one worker's at a time, and has one result", async () => {
  await using cluster = await startTestCluster();
  const db = await cluster.client();
  let nowMs = 1_000;
  const queue = new JobQueue<string, string>(db.namespace("mails/"), { leaseMs: 100, nowMs: () => nowMs });
  expect(await queue.enqueue("1", "to ada")).toBe(true);
  expect(await queue.enqueue("1", "to ada")).toBe(false);
  await queue.enqueue("2", "to grace");
  const slow = await queue.claim();
  const second = await queue.claim();
  expect([slow?.payload, second?.payload, await queue.claim()]).toEqual(["to ada", "to grace", undefined]);
  if (slow === undefined || second === undefined) {
    throw new Error("both were claimed");
  }

  // The second says that it lives, the slow one does not: its job is somebody else's.
  nowMs += 60;
  expect(await queue.extend(second)).toBe(true);
  nowMs += 60;
  const other = await queue.claim();
  expect(other?.id).toBe("1");
  expect(await queue.extend(slow)).toBe(false);

  // Both finish: one result counts, and each is told which.
  expect(other && (await queue.complete(other, "by the other"))).toBe(true);
  expect(await queue.complete(slow, "by the slow one")).toBe(false);
  expect(await queue.result("1")).toBe("by the other");
  expect(await queue.enqueue("1", "to ada")).toBe(false);

  // What is given back is anybody's.
  await queue.release(second);
  expect((await queue.claim())?.id).toBe("2");

  nowMs += 1_000;
  await queue.prune(500);
  expect(await queue.enqueue("1", "to ada, again")).toBe(true);
});

test("every job is done exactly once, though workers die and so does the leader", async () => {
  await using cluster = await startTestCluster({ stores: 3 });
  const db = await cluster.client();
  const queue = new JobQueue<number, number>(db.namespace("sums/"), { leaseMs: 200 });
  const ids = Array.from({ length: 24 }, (_, at) => String(at).padStart(3, "0"));
  for (const id of ids) {
    await queue.enqueue(id, Number(id));
  }
  let countedTotal = 0;
  let takenCount = 0;
  const work = async (): Promise<void> => {
    while ((await Promise.all(ids.map((id) => queue.result(id)))).includes(undefined)) {
      const job = await queue.claim();
      // Each fifth is taken by a worker that dies: others take it when its lease ends.
      if (job === undefined || takenCount++ % 5 === 0) {
        continue;
      }
      if (await queue.complete(job, job.payload * 2)) {
        countedTotal += job.payload * 2;
      }
    }
  };
  const workers = [work(), work(), work()];
  await cluster.killStore((await cluster.leaderOf("sums/")) as number);
  await Promise.all(workers);
  const results = await Promise.all(ids.map((id) => queue.result(id)));
  expect(results).toEqual(ids.map((id) => Number(id) * 2));
  expect(countedTotal).toBe(ids.reduce((sum, id) => sum + Number(id) * 2, 0));
});
