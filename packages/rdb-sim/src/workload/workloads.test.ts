import { SeededRandom } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { checkKeys } from "../check/check-keys.ts";
import { checkRevisions } from "../check/revisions.ts";
import { RecordedCluster } from "../testing/recorded-cluster.ts";
import { BankWorkload } from "./bank-workload.ts";
import { type EagerTask, EagerWorkload } from "./eager-workload.ts";
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

test("eager clients do nothing but what they are told, and only then", async () => {
  const run = await RecordedCluster.start(8);
  const { clock } = run.cluster;
  let task: EagerTask | undefined;
  const eager = new EagerWorkload({
    ...{ clock, random: new SeededRandom(8), clients: run.clients("e") },
    task: () => task,
  });
  await clock.run(2_000);
  expect(run.history.calls).toEqual([]);
  task = { key: "k2", writers: new Set([1]) };
  await clock.run(2_000);
  task = undefined;
  await clock.complete(eager.stop(), 1_000);
  const { calls } = run.history;
  const [reader, writer] = run.clients("e") as [RecordedClient, RecordedClient];
  expect(new Set(calls.map(({ client, op }) => `${client} ${op}`))).toEqual(
    new Set([`${reader.name} get`, `${writer.name} put`]),
  );
  expect(calls.length).toBeGreaterThan(50);
  expect(checkKeys(calls)).toEqual([]);
});

test("clients at rest begin nothing", async () => {
  const run = await RecordedCluster.start(9);
  const { clock } = run.cluster;
  let isAtRest = true;
  const registers = new RegisterWorkload({
    ...{ clock, random: new SeededRandom(9), clients: run.clients("r"), pauseMaxMs: 30 },
    ...{ groups: [["k0", "k1"]], isAtRest: () => isAtRest },
  });
  await clock.run(1_000);
  expect(run.history.calls).toEqual([]);
  isAtRest = false;
  await clock.run(1_000);
  expect(run.history.calls.length).toBeGreaterThan(10);
  await clock.complete(registers.stop(), 1_000);
});
