import { SeededRandom } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { checkKeys } from "../check/check-keys.ts";
import { checkRevisions } from "../check/revisions.ts";
import { RecordedCluster } from "../testing/recorded-cluster.ts";
import { RecordedClient } from "./recorded-client.ts";
import { WorkloadMix } from "./workload-mix.ts";

test("all workloads on a healthy cluster: everything succeeds, and every checker agrees", async () => {
  const run = await RecordedCluster.start(7);
  const { clock } = run.cluster;
  const applications = [await run.application("app-1"), await run.application("app-2")];
  const prefixes = ["k0", "k2", "k4"];
  const mix = new WorkloadMix({ applications, prefixes, clock, random: new SeededRandom(7), pauseMaxMs: 30 });
  await clock.runUntil(() => false, 3_000);
  await clock.complete(mix.stop(), 10_000);
  const reader = new RecordedClient({
    ...(applications[0] as (typeof applications)[number]),
    name: "reader",
  });
  await clock.complete(mix.finish(reader), 10_000);
  expect(mix.violations).toEqual([]);
  const { calls } = run.history;
  expect(checkKeys(calls)).toEqual([]);
  expect(checkRevisions(calls)).toEqual([]);
  expect(run.history.count("unknown")).toBe(0);
  expect(calls.length).toBeGreaterThan(500);
  const answered = calls.filter(({ outcome }) => outcome === "ok");
  const ops = new Set(answered.map(({ op }) => op));
  const allOps = ["batchDelete", "batchGet", "batchPut", "cas", "conditionalBatch", "delete", "deleteRange"];
  expect([...ops].sort()).toEqual([...allOps, "get", "put", "scan"]);
  expect(new Set(answered.map(({ shown }) => shown?.regionId)).size).toBe(3);
  expect(answered.every(({ shown }) => shown !== undefined)).toBe(true);
});
