import { SeededRandom } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { checkKeys } from "../check/check-keys.ts";
import { checkRevisions } from "../check/revisions.ts";
import { RecordedCluster } from "../testing/recorded-cluster.ts";
import { BankWorkload } from "./bank-workload.ts";
import { ListWorkload } from "./list-workload.ts";
import { PrefixWorkload } from "./prefix-workload.ts";
import type { RecordedClient } from "./recorded-client.ts";
import { RegisterWorkload } from "./register-workload.ts";

test("all workloads on a healthy cluster: everything succeeds, and every checker agrees", async () => {
  const run = await RecordedCluster.start(7);
  const { clock } = run.cluster;
  const common = { clock, random: new SeededRandom(7), pauseMaxMs: 30 };
  const list = new ListWorkload({ ...common, clients: run.clients("list"), keys: ["k0 list", "k4 list"] });
  const bank = new BankWorkload({ ...common, clients: run.clients("bank"), prefix: "k2 " });
  const groups = ["k0", "k2", "k4"].map((prefix) => [`${prefix}r0`, `${prefix}r1`]);
  const workloads = [
    new PrefixWorkload({ ...common, clients: run.clients("own"), prefixOf: (place) => `k${place * 2} own ` }),
    new RegisterWorkload({ ...common, clients: [...run.clients("r0"), ...run.clients("r1")], groups }),
    list,
    bank,
  ];
  await clock.runUntil(() => false, 2_000);
  await clock.complete(Promise.all(workloads.map((workload) => workload.stop())), 10_000);
  const [reader] = run.clients("reader") as [RecordedClient];
  for (const workload of workloads) {
    await clock.complete(workload.finish(reader), 10_000);
  }
  expect([list.appendedCount, bank.movedCount].every((count) => count > 10)).toBe(true);
  expect(workloads.flatMap(({ violations }) => violations)).toEqual([]);
  expect(run.violations).toEqual([]);
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
